import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { endOfRelationName, tokens } from "../../src/sql/lexer.ts";
import { loadParser, parserMajors, type Parser } from "../../src/sql/parser.ts";
import { sameTree, splice, type Edit } from "../../src/sql/splice.ts";
import { walk, type Fields } from "../../src/sql/walk.ts";
import { statements } from "../unit/sql/statements.ts";

const parsed = (parser: Parser, sql: string) => {
  const result = parser.parse(sql);
  return result.kind === "parsed" ? result : undefined;
};

describe("splice", () => {
  it.each(parserMajors)(
    "leaves the tree as it is when only the gaps between tokens change, for %i",
    async (major) => {
      const parser = await loadParser(major);
      const gaps = fc.constantFrom(" ", "\n", "\t ", "/* c */", "-- c\n", " /* ' */ ");
      fc.assert(
        fc.property(
          fc.constantFrom(...statements),
          fc.array(gaps, { minLength: 1, maxLength: 8 }),
          (sql, some) => {
            const before = parsed(parser, sql);
            if (!before) return;
            const bytes = Buffer.from(sql);
            // N'x' is two tokens to the scanner, but only without a gap.
            const ends = [...tokens(bytes)].filter(({ end }) => bytes[end] !== 0x27).map(({ end }) => end);
            const edits: Edit[] = ends.map((end, index) => ({
              start: end,
              end,
              text: some[index % some.length]!,
            }));
            const after = parsed(parser, splice(bytes, edits));
            expect(after?.statements.length).toBe(before.statements.length);
            expect(sameTree(before.statements, after!.statements)).toBe(true);
          },
        ),
        { numRuns: 500 },
      );
    },
  );

  it.each(parserMajors)(
    "renames every relation where the tree says that it stands, for %i",
    async (major) => {
      const parser = await loadParser(major);
      const different: string[] = [];
      for (const sql of statements) {
        // Out of this the grammar makes a SELECT from the view itself, which stands nowhere in the text.
        if (sql.startsWith("create recursive view")) continue;
        const before = parsed(parser, sql);
        const again = parsed(parser, sql);
        if (!before || !again) continue;
        const bytes = Buffer.from(sql);
        const edits: Edit[] = [];
        walk(
          before.statements.map(({ stmt }) => stmt),
          (kind, fields) => {
            if (kind !== "RangeVar" || typeof fields["location"] !== "number" || fields["location"] < 0)
              return;
            const start = fields["location"];
            edits.push({ start, end: endOfRelationName(bytes, start), text: 'other."T 1"' });
          },
        );
        rename(again.statements.map(({ stmt }) => stmt));
        const after = parsed(parser, splice(bytes, edits));
        if (!after || !sameTree(again.statements, after.statements)) different.push(sql);
      }
      expect(different).toEqual([]);
    },
  );
});

const change = (fields: Fields) => {
  const relation = fields as Record<string, unknown>;
  if (typeof relation["location"] !== "number" || relation["location"] < 0) return;
  delete relation["catalogname"];
  relation["schemaname"] = "other";
  relation["relname"] = "T 1";
};

/** Makes the change in the tree that the edits make in the text. */
function rename(nodes: unknown[]): void {
  walk(nodes, (kind, fields) => void (kind === "RangeVar" && change(fields)));
}
