/**
 * Characters that a terminal or a viewer acts on instead of showing: controls (C1 too: U+009B starts an escape
 * sequence in some terminals), format characters (a bidirectional override reorders the line that it stands in;
 * a zero-width one hides a difference), and the line and paragraph separators.
 */
const acting = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Printable ASCII: nothing to look for. */
const plain = /^[\x20-\x7e]*$/;

/**
 * JSON of a value, on one line, in which no text can start a line, end a string or move a terminal's cursor:
 * beyond what JSON demands, every character that is not shown as itself is written as `\uXXXX`. Letters of any
 * script stay as they are, so that the record can be searched with ordinary tools.
 */
export function asJson(value: string | number | boolean | object): string {
  const json = JSON.stringify(value);
  return plain.test(json) ? json : json.replace(acting, inUtf16Escapes);
}

/** The text with every acting character replaced by a visible escape: `\n`, `\t`, `\x1b`, `\u{202e}`. */
export function visible(text: string): string {
  return plain.test(text) ? text : text.toWellFormed().replace(acting, inVisibleEscape);
}

/** Made once for each of the few hundred: a hostile text holds a million of them. */
const utf16Escapes = new Map<string, string>();

function inUtf16Escapes(character: string): string {
  const known = utf16Escapes.get(character);
  if (known !== undefined) return known;
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  const escaped = units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
  utf16Escapes.set(character, escaped);
  return escaped;
}

function inVisibleEscape(character: string): string {
  switch (character) {
    case "\n":
      return "\\n";
    case "\r":
      return "\\r";
    case "\t":
      return "\\t";
  }
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}
