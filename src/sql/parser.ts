import type { RawStmt } from "@pgsql/types";
import { refuse } from "../errors.ts";
import { createTextParser, type ParsedText, type TextParserLimits } from "./parse-text.ts";
import { parserMajors, type ParserMajor } from "./wasm-instance.ts";

export { parserMajors };

export type ParseResult =
  | {
      readonly kind: "parsed";
      /** Locations in them are byte offsets. */
      readonly statements: readonly RawStmt[];
      /** The text that was parsed, where comments had to be taken out of the one given: this one is what may run. */
      readonly text?: string;
    }
  /** The grammar refuses the text: the server's own message, and the 1-based character at fault. */
  | { readonly kind: "error"; readonly message: string; readonly position: number | undefined }
  /** Not given to the grammar, or beyond what it can take. */
  | {
      readonly kind: "refused";
      readonly reason: string;
      readonly code: "statement_too_complex" | "encoding_invalid";
    };

export type Parser = {
  readonly major: ParserMajor;
  readonly limits: JudgingLimits;
  /** Parses on the calling thread; beyond the limits a text is refused as too complex. */
  parse(text: string): ParseResult;
};

/** What a thread takes on: of the text that a client sent, and of what is made of it. */
export type JudgingLimits = TextParserLimits & {
  /** Bytes of a client's text in its short form (short-text.ts). */
  readonly text: number;
};

/**
 * For the thread that serves every session: a text within these keeps it for a few milliseconds. The stack holds four
 * times this depth.
 */
export const mainThreadLimits: JudgingLimits = {
  text: 2 * 1024,
  bytes: 16 * 1024,
  tokens: 4000,
  depth: 1000,
  rescanned: 32 * 1024,
  heap: 128 * 1024 * 1024,
  result: 8 * 1024 * 1024,
};

/**
 * For a thread that can be ended, where what goes beyond the above is judged again. Measured: 1 µs a token of parsing and
 * 1 µs for reading its JSON, of which a token has up to 110 bytes.
 */
export const workerLimits: JudgingLimits = {
  text: 4 * 1024 * 1024,
  bytes: 8 * 1024 * 1024,
  tokens: 400_000,
  depth: 1000,
  rescanned: 8 * 1024 * 1024,
  heap: 512 * 1024 * 1024,
  result: 64 * 1024 * 1024,
};

const loading = new Map<JudgingLimits, Map<ParserMajor, Promise<Parser>>>();

/**
 * The parser for servers of a major version; the same one for each call with the same limits.
 * @throws RolegateError `statement_not_supported` for a major whose grammar is not installed
 */
export async function loadParser(major: number, limits = mainThreadLimits): Promise<Parser> {
  const known = knownMajor(major);
  let loaded = loading.get(limits);
  if (!loaded) loading.set(limits, (loaded = new Map()));
  let parser = loaded.get(known);
  if (!parser) {
    parser = Promise.resolve().then(() => {
      const parse = createTextParser(known, limits);
      return { major: known, limits, parse: (text: string) => readTree(parse(text)) };
    });
    loaded.set(known, parser);
  }
  return parser;
}

function knownMajor(major: number): ParserMajor {
  return (
    parserMajors.find((candidate) => candidate === major) ??
    refuse("statement_not_supported", `rolegate has no grammar for PostgreSQL ${major}, only for 15 to 18`)
  );
}

/** The result with its tree read. libpg-query writes no JSON for a node that it does not know: that is refused. */
function readTree(result: ParsedText): ParseResult {
  if (result.kind !== "tree") return result;
  try {
    const { stmts = [] } = JSON.parse(result.json) as { stmts?: readonly RawStmt[] };
    return result.text === undefined
      ? { kind: "parsed", statements: stmts }
      : { kind: "parsed", statements: stmts, text: result.text };
  } catch {
    return { kind: "refused", reason: "statement has no readable tree", code: "statement_too_complex" };
  }
}
