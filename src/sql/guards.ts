import { isKeyword, tokenAt, type Token } from "./lexer.ts";
import { endOfOperatorRun } from "./plain-tokens.ts";

/**
 * What a text may cost before it is parsed. The parser runs on the native stack, and a few shapes
 * take it more than linear time or memory, so these are counted first, in one linear pass.
 */
export type ParseLimits = {
  readonly bytes: number;
  /** Tokens of text, where the source of a multi-column SET counts once for each column: the tree repeats it. */
  readonly tokens: number;
  /** Levels of the tree, estimated from brackets and from operators that chain. */
  readonly depth: number;
  /** Bytes that the scanner reads again because operators or comments stand without a gap. */
  readonly rescanned: number;
};

/** One bracket's inside, or the statement's own level. */
type Level = {
  /** How often the tree repeats what stands here. */
  repeated: number;
  /** Columns of the multi-column SET whose source is being read; 1 outside. */
  columns: number;
  commas: number;
  /** Operators since the last comma, AND or OR (which make flat lists). */
  operators: number;
  /** Joins and set operations; they chain across commas. */
  joined: number;
  cases: number;
};

const openLevel = (repeated: number): Level => ({
  repeated,
  columns: 1,
  commas: 0,
  operators: 0,
  joined: 0,
  cases: 0,
});

/**
 * In bytes: so short a text cannot have more tokens or levels than this, and what makes the scanner read again makes it
 * read half a million bytes at most, which takes it a millisecond. Only a SET can make much of little.
 */
const short = 1000;

/** True if the letters s, e, t stand there in this order and any case: in every SET, for keywords have no escapes. */
function mentionsSet(bytes: Buffer): boolean {
  for (let at = 2; at < bytes.length; at += 1)
    if ((bytes[at]! | 0x20) === 0x74 && (bytes[at - 1]! | 0x20) === 0x65 && (bytes[at - 2]! | 0x20) === 0x73)
      return true;
  return false;
}

const chainWords = ["not", "is", "isnull", "notnull", "collate", "at", "operator"];
const joinWords = ["join", "union", "except", "intersect"];

/** Why the text must not be parsed within `limits`; undefined if it may be. Reads past nothing: a text that the scanner refuses is let through to be refused there. */
export function tooComplex(bytes: Buffer, limits: ParseLimits): string | undefined {
  if (bytes.length > limits.bytes) return `statement is longer than ${limits.bytes} bytes`;
  if (bytes.length <= short && bytes.length <= Math.min(limits.tokens, limits.depth) && !mentionsSet(bytes))
    return undefined;

  let level = openLevel(1);
  const outer: Level[] = [];
  let outerDepth = 0;
  let weight = 0;
  let rescanned = 0;
  let runEnd = 0;
  /** Set behind `( … )`, the group that a SET would assign to. */
  let closed: Level | undefined;

  for (let token = tokenAt(bytes, 0); token; token = tokenAt(bytes, token.end)) {
    if (token.kind === "operator" || token.kind === "comment") {
      if (token.start >= runEnd) runEnd = endOfOperatorRun(bytes, token.start);
      rescanned += runEnd - token.start;
      if (token.kind === "comment") {
        rescanned += openersInside(bytes, token);
        if (rescanned > limits.rescanned) return "statement has too many comments in one another";
        continue;
      }
      if (rescanned > limits.rescanned) return "statement has too many operators in a row";
    }

    weight += level.repeated;
    if (weight > limits.tokens) return `statement has more than ${limits.tokens} words and symbols`;
    const group = closed;
    closed = undefined;

    switch (token.kind) {
      case "operator":
        level.operators += 1;
        if (group && group.commas > 0 && token.end - token.start === 1 && bytes[token.start] === 0x3d) {
          level.columns = Math.max(level.columns, group.commas + 1);
        }
        break;
      case "punctuation":
        switch (bytes[token.start]) {
          case 0x28:
          case 0x5b: // ( [
            outer.push(level);
            outerDepth += depthOf(level);
            level = openLevel(level.repeated * level.columns);
            break;
          case 0x29:
          case 0x5d: {
            // ) ]
            const enclosing = outer.pop();
            if (!enclosing) return undefined;
            closed = level;
            level = enclosing;
            outerDepth -= depthOf(level);
            break;
          }
          case 0x2c: // ,
            level.commas += 1;
            level.operators = 0;
            level.columns = 1;
            break;
          case 0x3b: // ;
            if (outer.length === 0) level = openLevel(1);
            break;
          default:
            break;
        }
        break;
      case "word":
        countWord(bytes, token, level);
        break;
      case "invalid":
        // The scanner stops here; an unterminated comment it has read by then.
        rescanned += openersInside(bytes, token);
        return rescanned > limits.rescanned ? "statement has too many comments in one another" : undefined;
      case "quoted":
      case "string":
      case "number":
      case "parameter":
        break;
    }
    if (outerDepth + depthOf(level) > limits.depth) return "statement is nested too deeply";
  }
  return undefined;
}

function depthOf(level: Level): number {
  return 1 + level.operators + level.joined + level.cases;
}

function countWord(bytes: Buffer, token: Token, level: Level): void {
  const any = (words: readonly string[]) => words.some((word) => isKeyword(bytes, token, word));
  const length = token.end - token.start;
  if (length > 9) return;
  if (isKeyword(bytes, token, "and") || isKeyword(bytes, token, "or")) level.operators = 0;
  else if (isKeyword(bytes, token, "case")) level.cases += 1;
  else if (isKeyword(bytes, token, "end")) level.cases = Math.max(0, level.cases - 1);
  else if (any(joinWords)) level.joined += 1;
  else if (any(chainWords)) level.operators += 1;
}

/** What the openers of comments inside a comment make the scanner read again. */
function openersInside(bytes: Buffer, comment: Token): number {
  if (bytes[comment.start] === 0x2d) return 0;
  const inside = bytes.subarray(comment.start + 2, comment.end);
  let again = 0;
  let runEnd = 0;
  for (let at = inside.indexOf("/*"); at >= 0; at = inside.indexOf("/*", at + 2)) {
    if (at >= runEnd) runEnd = endOfOperatorRun(inside, at);
    again += runEnd - at;
  }
  return again;
}
