import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadParser, parserMajors } from "../../src/sql/parser.ts";
import { walk } from "../../src/sql/walk.ts";
import { statements } from "../unit/sql/statements.ts";

const wrappers = fc.constantFrom<[string, string]>(
  ["(", ")"],
  ["(select ", ")"],
  ["(select * from t where ", ")"],
  ["f(", ")"],
  ["not ", ""],
  ["- ", ""],
  ["a + ", ""],
  ["", "::int"],
  ["", " is null"],
  ["", " collate c"],
  ["case when a and ", " then 1 end"],
  ["case ", " when 1 then 2 end"],
  ["array[", "]"],
  ["a[", "]"],
  ["row(1, ", ")"],
  ["exists (select 1 from a union select ", ")"],
  ["(with x as (update t set (a, b) = (select 1, ", ") returning 1) select 1)"],
  ["(with x as (insert into t values (1) on conflict do update set (a, b, c) = row(1, 2, ", ")) select 1)"],
  ["(select 1 from (a join b on ", "))"],
  ["f('a' -- c\n 'b', ", ")"],
);

describe("parser", () => {
  it.each(parserMajors)("bounds whatever nests, for %i", async (major) => {
    const parser = await loadParser(major);
    fc.assert(
      fc.property(
        fc.array(wrappers, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 3000 }),
        (some, times) => {
          const open = some.map(([before]) => before).join("");
          const close = some
            .map(([, after]) => after)
            .toReversed()
            .join("");
          const sql = `select ${open.repeat(times)}1${close.repeat(times)}`;
          const begun = performance.now();
          const result = parser.parse(sql);
          if (result.kind === "parsed")
            walk(
              result.statements.map(({ stmt }) => stmt),
              () => undefined,
            );
          expect(performance.now() - begun).toBeLessThan(2000);
          expect(parser.parse("select 1")).toMatchObject({ kind: "parsed" });
        },
      ),
      { numRuns: 150 },
    );
  });

  it.each(parserMajors)("answers any text, for %i", async (major) => {
    const parser = await loadParser(major);
    const texts = fc.oneof(
      fc.string({ unit: "binary", maxLength: 60 }),
      fc
        .tuple(fc.constantFrom(...statements), fc.nat(), fc.string({ unit: "grapheme-ascii", maxLength: 4 }))
        .map(
          ([sql, at, noise]) =>
            sql.slice(0, at % sql.length) + noise + sql.slice((at % sql.length) + noise.length),
        ),
    );
    fc.assert(
      fc.property(texts, (sql) => {
        const result = parser.parse(sql);
        if (result.kind === "parsed")
          walk(
            result.statements.map(({ stmt }) => stmt),
            () => undefined,
          );
        expect(["parsed", "error", "refused"]).toContain(result.kind);
      }),
      { numRuns: 3000 },
    );
  });
});
