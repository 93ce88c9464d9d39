import { tokens } from "../sql/lexer.ts";

const semicolon = 0x3b;

/**
 * The texts of the statements in a text that holds `count` of them, for the record. No statement that is judged
 * holds a semicolon of its own; should the counts differ all the same, the first stands for the whole text.
 */
export function splitStatements(text: string, count: number): readonly string[] {
  if (count < 2) return count === 1 ? [text] : [];
  const bytes = Buffer.from(text);
  const found: string[] = [];
  let first = -1;
  let last = 0;
  for (const token of tokens(bytes)) {
    if (token.kind === "punctuation" && bytes[token.start] === semicolon) {
      if (first >= 0) found.push(bytes.toString("utf8", first, last));
      first = -1;
    } else {
      if (first < 0) first = token.start;
      last = token.end;
    }
  }
  if (first >= 0) found.push(bytes.toString("utf8", first, last));
  return found.length === count ? found : [text, ...Array.from({ length: count - 1 }, () => "")];
}
