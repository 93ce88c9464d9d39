import type { RawStmt } from "@pgsql/types";
import { refuse } from "../errors.ts";
import { createTextParser, type ParsedText, type TextParserLimits } from "./parse-text.ts";
import { parserMajors, type ParserMajor } from "./wasm-instance.ts";

export { parserMajors, type ParserMajor };

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
  /** Parses on the calling thread; a text that could keep it longer than some 100 ms is refused as too complex. */
  parse(text: string): ParseResult;
};

/**
 * For the thread that serves every session. Measured at most 1 µs a token of parsing and 1 µs for
 * reading its JSON (up to 110 bytes a token). The stack holds four times this depth.
 */
export const mainThreadLimits: TextParserLimits = {
  bytes: 256 * 1024,
  tokens: 40_000,
  depth: 1000,
  rescanned: 512 * 1024,
  heap: 128 * 1024 * 1024,
  result: 16 * 1024 * 1024,
};

const loading = new Map<ParserMajor, Promise<Parser>>();

/**
 * The parser for servers of a major version; the same one for each call.
 * @throws RolegateError `statement_not_supported` for a major whose grammar is not installed
 */
export async function loadParser(major: number): Promise<Parser> {
  const known = knownMajor(major);
  let parser = loading.get(known);
  if (!parser) {
    parser = Promise.resolve().then(() => {
      const parse = createTextParser(known, mainThreadLimits);
      return { major: known, parse: (text: string) => readTree(parse(text)) };
    });
    loading.set(known, parser);
  }
  return parser;
}

/** @throws RolegateError `statement_not_supported` for a major whose grammar is not installed */
export function knownMajor(major: number): ParserMajor {
  return (
    parserMajors.find((candidate) => candidate === major) ??
    refuse("statement_not_supported", `rolegate has no grammar for PostgreSQL ${major}, only for 15 to 18`)
  );
}

/** The result with its tree read. libpg-query writes no JSON for a node that it does not know: that is refused. */
export function readTree(result: ParsedText): ParseResult {
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
