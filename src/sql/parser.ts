import type { RawStmt } from "@pgsql/types";
import { refuse } from "../errors.ts";
import { hasCommentInLookAhead, stripComments } from "./comments.ts";
import { mainThreadLimits, tooComplex, type ParseLimits } from "./guards.ts";
import { compileParser, parserMajors, type ParserMajor } from "./wasm-instance.ts";

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

/** The address space that an instance begins with; ordinary statements never need more. */
const mainThreadHeap = 128 * 1024 * 1024;
/** What a text within `mainThreadLimits` can come to, measured at 60 bytes of JSON a byte. */
const mainThreadResult = 16 * 1024 * 1024;
/** Behind a tree of this size the instance is renewed, for its memory never shrinks. */
const renewBehind = 1024 * 1024;

const loading = new Map<ParserMajor, Promise<Parser>>();

/**
 * The parser for servers of a major version.
 * @throws RolegateError `statement_not_supported` for a major whose grammar is not installed
 */
export function loadParser(major: number): Promise<Parser> {
  const known = parserMajors.find((candidate) => candidate === major);
  if (known === undefined) {
    refuse("statement_not_supported", `no grammar for PostgreSQL ${major}; rolegate knows 15 to 18`);
  }
  let parser = loading.get(known);
  if (!parser) {
    parser = Promise.resolve().then(() =>
      createParser(known, mainThreadLimits, { heapLimit: mainThreadHeap, resultLimit: mainThreadResult }),
    );
    loading.set(known, parser);
  }
  return parser;
}

/** A parser of its own with other limits, for a thread that may be kept longer. */
export function createParser(
  major: ParserMajor,
  limits: ParseLimits,
  memory: { heapLimit: number; resultLimit: number },
): Parser {
  const makeInstance = compileParser(major, memory);
  let instance = makeInstance();

  const parseBytes = (bytes: Buffer): ParseResult => {
    const raw = instance.parse(bytes);
    if (raw.kind === "reported") {
      return { kind: "error", message: raw.message, position: raw.position > 0 ? raw.position : undefined };
    }
    const statements = raw.kind === "tree" ? statementsOf(raw.json) : undefined;
    if (raw.kind !== "tree" || statements === undefined) {
      // Whatever broke it may have left its memory in any state: never parse with it again.
      instance = makeInstance();
      return complex("statement is too complex to be parsed");
    }
    if (raw.json.length > renewBehind) instance = makeInstance();
    return { kind: "parsed", statements };
  };

  const parseWithoutComments = (bytes: Buffer): ParseResult => {
    const text = stripComments(bytes);
    const result = parseBytes(Buffer.from(text));
    return result.kind === "parsed" ? { ...result, text } : result;
  };

  return {
    major,
    parse(text) {
      if (text === "") return { kind: "parsed", statements: [] };
      if (!text.isWellFormed()) return invalid("statement is not valid Unicode");
      const bytes = Buffer.from(text);
      if (bytes.includes(0)) return invalid("statement holds a NUL byte");
      const reason = tooComplex(bytes, limits);
      if (reason !== undefined) return complex(reason);

      const mayHoldComments = bytes.includes("--") || bytes.includes("/*");
      if (!mayHoldComments) return parseBytes(bytes);
      if (hasCommentInLookAhead(bytes)) return parseWithoutComments(bytes);
      const result = parseBytes(bytes);
      if (result.kind !== "error") return result;
      const stripped = parseWithoutComments(bytes);
      return stripped.kind === "parsed" ? stripped : result;
    },
  };
}

const complex = (reason: string): ParseResult => ({ kind: "refused", reason, code: "statement_too_complex" });
const invalid = (reason: string): ParseResult => ({ kind: "refused", reason, code: "encoding_invalid" });

/** Undefined for what is no JSON: libpg-query writes none for a node that it does not know. */
function statementsOf(json: string): readonly RawStmt[] | undefined {
  try {
    return (JSON.parse(json) as { stmts?: readonly RawStmt[] }).stmts ?? [];
  } catch {
    return undefined;
  }
}
