import { refuse } from "../errors.ts";
import { isDigit, isIdentifierPart, isOperatorPart } from "./plain-tokens.ts";
import { nodeFields } from "./walk.ts";

/** Replaces the bytes from `start` up to `end` (an insertion where they are equal) by `text`. */
export type Edit = { readonly start: number; readonly end: number; readonly text: string };

/**
 * `source` with the edits made; everything else stays byte for byte. Insertions at one offset keep
 * their order and stand before a replacement that begins there. A space is put where two tokens
 * would otherwise become one. An edit must not lie behind a `--` comment on the same line; comparing the trees afterwards tells.
 * @throws RolegateError `internal` for edits that overlap or lie outside the text
 */
export function splice(source: Buffer, edits: readonly Edit[]): string {
  return piecesOf(source, edits)
    .map(({ text }) => text)
    .join("");
}

/** A part of an edited text; `start`: where in the source it comes from, undefined for what an edit put in. */
type Piece = { readonly text: string; readonly start: number | undefined };

function piecesOf(source: Buffer, edits: readonly Edit[]): Piece[] {
  const ordered = edits.toSorted((a, b) => a.start - b.start || a.end - b.end);
  const pieces: Piece[] = [];
  let last = "";
  let done = 0;
  const append = (text: string, start: number | undefined) => {
    if (text === "") return;
    if (glues(last, text)) pieces.push({ text: " ", start: undefined });
    pieces.push({ text, start });
    last = text;
  };
  for (const edit of ordered) {
    if (edit.start < done || edit.end < edit.start || edit.end > source.length) {
      refuse("internal", "edits of a statement overlap");
    }
    append(source.toString("utf8", done, edit.start), done);
    append(edit.text, undefined);
    done = edit.end;
  }
  append(source.toString("utf8", done), done);
  return pieces;
}

/** Like `splice`, and tells which byte offset in the result an offset in the source has become. */
export function spliceWithOffsets(
  source: Buffer,
  edits: readonly Edit[],
): { text: string; offsetOf: (offset: number) => number } {
  const pieces = piecesOf(source, edits);
  const kept: { from: number; to: number }[] = [];
  let to = 0;
  for (const { text, start } of pieces) {
    if (start !== undefined) kept.push({ from: start, to });
    to += Buffer.byteLength(text);
  }
  const offsetOf = (offset: number): number => {
    const piece = kept.findLast(({ from }) => from <= offset);
    return piece === undefined ? -1 : piece.to + offset - piece.from;
  };
  return { text: pieces.map(({ text }) => text).join(""), offsetOf };
}

/** True if the last character of `left` and the first of `right` might be read as parts of one token. */
function glues(left: string, right: string): boolean {
  if (left === "") return false;
  const last = left.charCodeAt(left.length - 1);
  const first = right.charCodeAt(0);
  if (isWord(last)) return isWord(first) || isQuote(first) || (first === 0x2e && isDigit(last));
  if (isQuote(last)) return isQuote(first);
  if (isOperator(last)) return isOperator(first) || isQuote(first);
  if (last !== 0x2e) return false;
  return first === 0x2e || isDigit(first) || (isWord(first) && isDigit(left.charCodeAt(left.length - 2)));
}

const isWord = (code: number) => code > 0xff || isIdentifierPart(code);
const isQuote = (code: number) => code === 0x27 || code === 0x22;
/** The colon too, for `::` and `:=`. */
const isOperator = (code: number) => code === 0x3a || (code <= 0xff && isOperatorPart(code));

const places = new Set(
  [...nodeFields.values()].flatMap((fields) =>
    [...fields].filter(([, shape]) => shape.kind === "place").map(([name]) => name),
  ),
);

/** True if two parse trees (nodes, lists of them, or RawStmts) are equal but for the places in the text. */
export function sameTree(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => sameTree(item, b[index]));
  }
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  for (const name in left) {
    if (!isPlace(name, left[name]) && !sameTree(left[name], right[name])) return false;
  }
  for (const name in right) {
    if (!(name in left) && !isPlace(name, right[name])) return false;
  }
  return true;
}

/** A tablespace's `location` is a directory, a string, and matters. */
function isPlace(name: string, value: unknown): boolean {
  return typeof value === "number" && places.has(name);
}
