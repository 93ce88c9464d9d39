/** What a pattern matches: where a `{capture}` ends depends on it. */
export type PatternKind = "subject" | "dns" | "email" | "uri";

/** Captures by name. */
export type Captures = ReadonlyMap<string, string>;

/** Text with `{captures}` in it, matched with all of a value. */
export type Pattern = {
  readonly text: string;
  readonly captures: readonly string[];
  readonly match: (value: string) => Captures | undefined;
};

/** A capture never reaches over one of these: a name must not be able to take the place of what stands behind it. */
const separators: Readonly<Record<PatternKind, string>> = { subject: "", dns: ".", email: "@", uri: "/?#" };

const capture = /\{([a-z][a-z0-9_]*)\}/g;

/** What a pattern must look like, in words. */
export const patternExpected =
  "text with {captures} in it, each of them once, with text between any two, and no other { or }";

/**
 * Compiles a pattern. A capture stands for one character or more, for none of the kind's separators, and not for the
 * character that follows it in the pattern, so that there is one way to read a value.
 * @returns undefined if it is none
 */
export function compilePattern(text: string, kind: PatternKind): Pattern | undefined {
  const captures: string[] = [];
  let expression = "";
  let at = 0;
  for (const found of text.matchAll(capture)) {
    const [whole, name = ""] = found;
    const literal = text.slice(at, found.index);
    if (captures.includes(name) || (captures.length > 0 && literal === "")) return undefined;
    captures.push(name);
    at = found.index + whole.length;
    const next = text.codePointAt(at);
    const stop = separators[kind] + (next === undefined ? "" : String.fromCodePoint(next));
    expression += `${RegExp.escape(literal)}([^${RegExp.escape(stop)}]+)`;
  }
  expression += RegExp.escape(text.slice(at));
  if (text === "" || /[{}]/.test(text.replaceAll(capture, ""))) return undefined;
  const whole = new RegExp(`^${expression}$`, "u");
  return {
    text,
    captures,
    match: (value) => {
      const found = whole.exec(value);
      return found === null ? undefined : new Map(captures.map((name, index) => [name, found[index + 1]!]));
    },
  };
}

/** The captures that a template names. */
export function capturesOf(template: string): readonly string[] {
  return [...template.matchAll(capture)].map(([, name = ""]) => name);
}

/** The template with its captures filled in. */
export function fillIn(template: string, captures: Captures): string {
  return template.replaceAll(capture, (whole, name: string) => captures.get(name) ?? whole);
}
