import type { Problem } from "../errors.ts";

/** The settings that the startup parameter `options` asks for, in its order: the server lets the last of a name win. */
export type Options =
  | { readonly kind: "settings"; readonly settings: readonly (readonly [name: string, value: string])[] }
  | { readonly kind: "refused"; readonly problem: Problem };

/**
 * Reads `options` as the server's command line (postgres.c: pg_split_opts, process_postgres_switches): `-c name=value`,
 * `-cname=value` and `--name=value`; words are split at white space, a backslash takes the next character as it is,
 * and `-` in a name means `_`. Every other switch is refused: most change what a judge must know of
 * (`-f`, `-O`), and none is needed.
 */
export function parseOptions(text: string): Options {
  const settings: (readonly [string, string])[] = [];
  const words = splitWords(text);
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    let setting: string | undefined;
    if (word.startsWith("--") && word.length > 2) setting = word.slice(2);
    else if (word.startsWith("-c") && word.length > 2) setting = word.slice(2);
    // As getopt does, the next word belongs to -c whatever it looks like.
    else if (word === "-c") setting = words[++index];
    else return refused("invalid command-line argument in startup options: only -c and -- are supported");
    if (setting === undefined) return refused("startup option -c requires an argument");
    const equals = setting.indexOf("=");
    if (equals < 0) return refused("a startup option requires a value");
    // The server answers 42704 for the empty name of `-c =`; PgBouncer looped on it for ever (CVE-2026-107349).
    if (equals === 0) return refused('unrecognized configuration parameter ""');
    settings.push([setting.slice(0, equals).replaceAll("-", "_"), setting.slice(equals + 1)]);
  }
  return { kind: "settings", settings };
}

/** The words of the text; each turn of the loop takes one character, so it ends. */
function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let index = 0; index < text.length; index++) {
    const character = text[index]!;
    if (isSpace(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === "\\") {
      // A backslash at the very end stands for nothing, but begins a word.
      word = (word ?? "") + (text[++index] ?? "");
    } else {
      word = (word ?? "") + character;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** isspace() of the C locale. */
function isSpace(character: string): boolean {
  return character === " " || (character >= "\t" && character <= "\r");
}

function refused(message: string): Options {
  return { kind: "refused", problem: { code: "protocol_violation", message } };
}
