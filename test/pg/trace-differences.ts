import { expect } from "vitest";
import type { Script } from "./trace-script.ts";

/** A line of the server's, or what rolegate's has to match. */
type Expected = string | { asymmetricMatch(line: unknown): boolean };

/** What rolegate is meant to answer where the server answers `lines`. */
type Change = (lines: readonly Expected[]) => readonly Expected[];

const isText = (line: Expected | undefined): line is string => typeof line === "string";

/** Each line that matches, in other words. */
function each(pattern: RegExp, replaced: (line: string, match: RegExpExecArray) => Expected): Change {
  return (lines) =>
    lines.map((line) => {
      const match = isText(line) ? pattern.exec(line) : null;
      return isText(line) && match !== null ? replaced(line, match) : line;
    });
}

const error = (severity: "ERROR" | "FATAL", code: string, words: string): Expected =>
  expect.stringMatching(
    new RegExp(`^ErrorResponse S="${severity}" V="${severity}" C="${code}" M="${words}"`),
  ) as Expected;

const isReady = (line: Expected) => isText(line) && line.startsWith("ReadyForQuery");
const isRefusal = (line: Expected) => !isText(line);

/** From the last line that matches up to the next one, `change` makes of the lines what is to come. */
function inPlace(from: RegExp, change: (lines: readonly Expected[]) => readonly Expected[]): Change {
  return (lines) => {
    const at = lines.findIndex((line) => isText(line) && from.test(line));
    return at < 0 ? lines : [...lines.slice(0, at), ...change(lines.slice(at))];
  };
}

/**
 * The differences between the server and rolegate that are meant, by the names that docs/protocol.md gives them; the
 * page says why. A script names those that it shows.
 */
export const differences: Readonly<Record<string, Change>> = {
  "names that are not there": each(
    /C="(?:42P01|42883)" M="(relation|function) (?:\\"(\w+)\\"|(\w+)\()/,
    (_, [, kind, relation, name]) =>
      error("ERROR", "42501", `permission denied for ${kind} ${relation ?? name}`),
  ),
  "judged before it runs": (lines) => {
    const refusal = lines.findIndex(isRefusal);
    const begin = lines.slice(0, refusal).findLastIndex(isReady) + 1;
    return [...lines.slice(0, begin), ...lines.slice(refusal)];
  },
  positions: each(/C="42703".* P="\d+"/, (line) => line.replace(/ P="\d+"/, "")),
  "words of bytes that are no text": each(/C="22021"/, () =>
    error("ERROR", "22021", "the statement is not valid UTF-8"),
  ),
  "the unnamed statement": inPlace(/^BindComplete/, (lines) => [
    error("ERROR", "26000", "unnamed prepared statement does not exist"),
    ...lines.slice(3),
  ]),
  FunctionCall: each(/C="(?:42883|42704|08P01)"/, () =>
    error("ERROR", "42501", "the FunctionCall message is not allowed"),
  ),
  "FunctionCall of what is there": each(/^FunctionCallResponse/, () =>
    error("ERROR", "42501", "the FunctionCall message is not allowed"),
  ),
  "messages during COPY": inPlace(/C="08P01" M="unexpected message type/, () => [
    error("FATAL", "08P01", "message type \\d+ is not allowed here"),
    "closed",
  ]),
  "words of a type that is none": each(/M="invalid frontend message type (\d+)"/, (_, [, type]) =>
    error("FATAL", "08P01", `message type ${type} is not allowed here`),
  ),
  "lengths that are none": inPlace(/^closed$/, () => [
    error("FATAL", "08P01", "invalid length of a message of type \\d+"),
    "closed",
  ]),
};

/** Differences that no script names, because they can be in any: by these names in docs/protocol.md. */
export const everywhere = ["fields of errors", "order of ParameterStatus"] as const;

/** Where an error was raised in the server's source is nobody's business. */
const withoutSource: Change = each(/^(?:Error|Notice)Response /, (line) =>
  line.replace(/ [FLR]="(?:[^"\\]|\\.)*"/g, ""),
);

/** The routine passes with the server's errors, and those that rolegate gives in the server's words have none. */
export const withoutRoutine = (line: string): string =>
  /^(?:Error|Notice)Response /.test(line) ? line.replace(/ R="(?:[^"\\]|\\.)*"/, "") : line;

/** What rolegate has to answer to a script that the server answers like this. */
export function expectedOf({ name, differs }: Script, lines: readonly string[]): readonly Expected[] {
  let expected = withoutSource(lines);
  for (const difference of differs) {
    const change = differences[difference];
    if (change === undefined) throw new Error(`${name}: no difference is called "${difference}"`);
    const changed = change(expected);
    // Where the server does as rolegate does, nothing has to be explained any more.
    expect(changed, `${name} does not show "${difference}"`).not.toEqual(expected);
    expected = changed;
  }
  return expected;
}
