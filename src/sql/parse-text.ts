import { hasCommentInLookAhead, stripComments } from "./comments.ts";
import { tooComplex, type ParseLimits } from "./guards.ts";
import { compileParser, type ParserMajor } from "./wasm-instance.ts";

/** What the grammar said of a text, the tree still as JSON. */
export type ParsedText =
  | {
      readonly kind: "tree";
      readonly json: string;
      /** The text that was parsed, where comments had to be taken out of the one given. */
      readonly text?: string;
    }
  | { readonly kind: "error"; readonly message: string; readonly position: number | undefined }
  | {
      readonly kind: "refused";
      readonly reason: string;
      readonly code: "statement_too_complex" | "encoding_invalid";
    };

export type TextParserLimits = ParseLimits & {
  /** Bytes of memory that the WASM instance may take; it begins with 128 MB of address space. */
  readonly heap: number;
  /** Bytes of JSON that a tree may have. */
  readonly result: number;
};

/** A parser within limits, with an instance of its own that is replaced whenever it breaks. */
export function createTextParser(major: ParserMajor, limits: TextParserLimits): (text: string) => ParsedText {
  const makeInstance = compileParser(major, { heapLimit: limits.heap, resultLimit: limits.result });
  let instance = makeInstance();

  const parseBytes = (bytes: Buffer): ParsedText => {
    const raw = instance.parse(bytes);
    if (raw.kind === "reported") {
      return { kind: "error", message: raw.message, position: raw.position > 0 ? raw.position : undefined };
    }
    if (raw.kind === "tree") return raw;
    // Whatever broke it may have left its memory in any state: never parse with it again.
    instance = makeInstance();
    return complex("statement is too complex to be parsed");
  };

  const parseWithoutComments = (bytes: Buffer): ParsedText => {
    const text = stripComments(bytes);
    const result = parseBytes(Buffer.from(text));
    return result.kind === "tree" ? { ...result, text } : result;
  };

  return (text) => {
    if (text === "") return { kind: "tree", json: "{}" };
    if (text.length > limits.bytes) return complex(`statement is longer than ${limits.bytes} bytes`);
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
    return stripped.kind === "tree" ? stripped : result;
  };
}

const complex = (reason: string): ParsedText => ({ kind: "refused", reason, code: "statement_too_complex" });
const invalid = (reason: string): ParsedText => ({ kind: "refused", reason, code: "encoding_invalid" });
