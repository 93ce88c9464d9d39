/** A name as role files write it, read as SQL reads it. */
export type ParsedName =
  | { readonly kind: "name"; readonly parts: readonly string[] }
  /** `expected` says what to write. */
  | { readonly kind: "refused"; readonly expected: string };

/** NAMEDATALEN - 1: the server silently cuts what is longer, and would then mean another object. */
const maxNameBytes = 63;

/**
 * Reads `name`, `schema.name`, `"Quoted Name"`, and where `star` is set `schema.*` and `*` (the part is then `*`).
 * Unquoted upper-case letters are refused rather than folded: whether `Orders` means `orders` or `"Orders"`
 * is a guess, and a rule for the wrong one would silently do nothing.
 * @param maxParts 1 for columns, 2 for relations and functions.
 */
export function parseName(text: string, maxParts: 1 | 2, star = false): ParsedName {
  const parts: string[] = [];
  // One part, then a dot or the end; in double quotes "" stands for one ".
  const part = /(?:"((?:[^"]|"")+)"|([^".]+))(\.|$)/y;
  let ended = false;
  while (!ended) {
    const match = part.exec(text);
    if (match === null || parts.length === maxParts)
      return { kind: "refused", expected: howToWrite(maxParts, star) };
    const [, quoted, plain = "", separator] = match;
    const isLast = separator === "";
    if (quoted !== undefined) {
      if (quoted === "*")
        return { kind: "refused", expected: "another name: a relation named * cannot have a rule" };
      parts.push(quoted.replaceAll('""', '"'));
    } else if (plain === "*" && star && isLast) {
      parts.push("*");
    } else {
      if (!/^[\p{L}_][\p{L}\p{N}_$]*$/u.test(plain))
        return { kind: "refused", expected: suggestQuotes(text, maxParts, star) };
      if (plain !== asciiLower(plain)) return { kind: "refused", expected: chooseCase(text) };
      parts.push(plain);
    }
    ended = isLast;
  }
  const long = parts.find((name) => Buffer.byteLength(name) > maxNameBytes);
  if (long !== undefined) return { kind: "refused", expected: `a name of at most ${maxNameBytes} bytes` };
  return { kind: "name", parts };
}

/** Only ASCII, as the server folds in a multibyte encoding (downcase_identifier in scansup.c). */
function asciiLower(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function howToWrite(maxParts: 1 | 2, star: boolean): string {
  if (maxParts === 1) return `a column's name, or '"Column Name"' in both kinds of quotes`;
  return `name, schema.name${star ? ", schema.*" : ""}, or '"Quoted Name"' in both kinds of quotes`;
}

/** A name without quotes of its own that needs them: YAML takes the outer pair away. */
function suggestQuotes(text: string, maxParts: 1 | 2, star: boolean): string {
  if (text.includes('"') || text.includes("'") || text.includes(".")) return howToWrite(maxParts, star);
  return `'"${text}"' for that very name (YAML takes the outer quotes away)`;
}

function chooseCase(text: string): string {
  if (text.includes('"') || text.includes("'")) return "lower-case letters outside double quotes";
  const quoted = text.split(".").map((name) => (/[A-Z]/.test(name) ? `"${name}"` : name));
  return `${asciiLower(text)} (as SQL reads it), or '${quoted.join(".")}' for that very name`;
}
