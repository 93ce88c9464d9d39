import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { int16, int32, message, text } from "../../src/wire/writer.ts";

/** What happens next in a conversation. */
type Step =
  | { readonly kind: "send"; readonly bytes: Buffer }
  /** Until a line of the answers begins like this that no earlier step has waited for. */
  | { readonly kind: "wait"; readonly line: string }
  /** On another connection of the same role, up to its ReadyForQuery. */
  | { readonly kind: "other"; readonly bytes: Buffer }
  /** A CancelRequest for the connection, once it has had the time to begin. */
  | { readonly kind: "cancel" };

export type Script = {
  readonly file: string;
  readonly name: string;
  /** Names of the differences in which the two answers are meant to differ. */
  readonly differs: readonly string[];
  /** Sent in one write, because the answer depends on what has arrived before an error is known. */
  readonly together: boolean;
  /** The server closes the connection at its end. */
  readonly closes: boolean;
  readonly steps: readonly Step[];
};

const directory = join(import.meta.dirname, "../traces");

/**
 * The conversations of test/traces/*.txt. `== name` begins one; `differs: a, b` names differences, `together` says that
 * it is sent in one write; then one message a line as `trace` writes it (lists may be left out, `7*"x"` repeats a value,
 * `hex'00ff'` are bytes), `raw` and the bytes of anything that is none in hexadecimal, `< line` to wait for an answer,
 * `< closed` where the server closes, `other` and a message for the second connection, or `cancel`. `#` begins a comment.
 */
export function readScripts(): Script[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith(".txt"))
    .toSorted()
    .flatMap((file) => parseScripts(file, readFileSync(join(directory, file), "utf8")));
}

function parseScripts(file: string, content: string): Script[] {
  return content
    .split(/^== /m)
    .slice(1)
    .map((part) => {
      const [name = "", ...lines] = part.split("\n").map((line) => line.trim());
      const said = lines.filter((line) => line !== "" && !line.startsWith("#"));
      const differs = said
        .filter((line) => line.startsWith("differs: "))
        .flatMap((line) => line.slice(9).split(", "));
      const [together, closes] = [said.includes("together"), said.includes("< closed")];
      const steps = said.filter((line) => !/^(?:differs: .*|together|< closed)$/.test(line)).map(step);
      return { file, name, differs, together, closes, steps };
    });
}

function step(line: string): Step {
  if (line === "cancel") return { kind: "cancel" };
  if (line.startsWith("< ")) return { kind: "wait", line: line.slice(2) };
  if (line.startsWith("other ")) return { kind: "other", bytes: encode(line.slice(6)) };
  return { kind: "send", bytes: encode(line) };
}

/** The bytes of a client's message that `trace` would write like this. */
export function encode(line: string): Buffer {
  const words = wordsOf(line);
  const [kind = "", first = "", second = "", ...rest] = words;
  const list = (name: string): readonly string[] => {
    const from = words.indexOf(name) + 1;
    if (from === 0) return [];
    const to = words.findIndex((word, index) => index >= from && /^(formats|values|results?)$/.test(word));
    return words.slice(from, to < 0 ? undefined : to);
  };
  switch (kind) {
    case "raw":
      return Buffer.from(words.slice(1).join(""), "hex");
    case "Query":
      return message("Q", string(first));
    case "Parse":
      return message("P", string(first), string(second), int16(rest.length), ...rest.map(number));
    case "Bind":
      return message(
        "B",
        string(first),
        string(second),
        counted(list("formats"), (word) => int16(Number(word))),
        counted(repeated(list("values")), value),
        counted(list("results"), (word) => int16(Number(word))),
      );
    case "Describe":
      return message("D", Buffer.from(first), string(second));
    case "Close":
      return message("C", Buffer.from(first), string(second));
    case "Execute":
      return message("E", string(first), number(second));
    case "FunctionCall":
      return message(
        "F",
        number(first),
        counted(list("formats"), (word) => int16(Number(word))),
        counted(repeated(list("values")), value),
        int16(Number(list("result")[0] ?? 0)),
      );
    case "CopyData":
      return message("d", bytes(first));
    case "CopyFail":
      return message("f", string(first));
    default:
      return message(bare[kind] ?? fail(line));
  }
}

const bare: Readonly<Record<string, string>> = { Sync: "S", Flush: "H", Terminate: "X", CopyDone: "c" };

function fail(line: string): never {
  throw new Error(`not a message of a client: ${line}`);
}

/** Words are JSON strings, or anything without white space and commas between them. */
function wordsOf(line: string): string[] {
  return line.match(/(?:\d+\*)?"(?:[^"\\]|\\.)*"|hex'[^']*'|[^\s,]+/g) ?? [];
}

function bytes(word: string): Buffer {
  if (word.startsWith("hex'")) return Buffer.from(word.slice(4, -1), "hex");
  return Buffer.from(JSON.parse(word) as string, "utf8");
}

function string(word: string): Buffer {
  return text(bytes(word).toString("utf8"), "text");
}

function number(word: string): Buffer {
  return int32(Number(word) | 0);
}

function value(word: string): Buffer {
  if (word === "null") return int32(-1);
  const content = bytes(word);
  return Buffer.concat([int32(content.length), content]);
}

function repeated(words: readonly string[]): string[] {
  return words.flatMap((word) => {
    const [, times, one] = /^(\d+)\*(.*)$/.exec(word) ?? [];
    return times === undefined ? [word] : Array.from({ length: Number(times) }, () => one!);
  });
}

function counted<Item>(items: readonly Item[], each: (item: Item) => Buffer): Buffer {
  return Buffer.concat([int16(items.length), ...items.map(each)]);
}
