import * as fc from "fast-check";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { judge } from "../../../src/rewrite/judge.ts";
import type { Verdict } from "../../../src/rewrite/verdict.ts";
import { loadParser } from "../../../src/sql/parser.ts";
import { createTestDatabase, describeServers } from "../../pg/embedded-database.ts";
import { catalogOf, grantsOf } from "../../pg/judgement-context.ts";
import { missedRelations } from "../independent-relations.ts";
import { choicesFrom, numbers, seededNumbers } from "./choices.ts";
import { report, runFor } from "./run-length.ts";
import { statementOf } from "./statements.ts";
import { identity, makeWorld } from "./world.ts";
import { roleTables, servedSql } from "./world-sql.ts";

const fixture = (name: string): string =>
  readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), "utf8");
const everything = { select: "all", insert: "all", update: "all", delete: "all" };

/** What the second parser finds beside ours; undefined where there is nothing to compare. */
function missedIn(verdict: Verdict, text: string): string[] | undefined {
  if (verdict.kind === "refuse") return undefined;
  return missedRelations(
    text,
    verdict.text,
    verdict.statements.flatMap(({ relations }) => relations),
  );
}

describeServers((server, major) => {
  test("in the statements of tools no relation is missed that a second parser finds", async () => {
    const database = await createTestDatabase({ server });
    await database.query(
      `create extension "uuid-ossp"; create schema shop; ${fixture("tool-statements.sql")}`,
    );
    const [parser, catalog] = [await loadParser(major), await catalogOf(database)];
    await database.close();
    const grants = grantsOf(
      { tables: { "public.*": everything, "shop.*": everything } },
      "tool_user",
      parser,
      {},
    );
    const statements = fixture("tool-statements.jsonl").trim().split("\n");
    let compared = 0;
    for (const line of statements) {
      const { sql } = JSON.parse(line) as { sql: string };
      const verdict = judge(sql, { grants, catalog, parser, searchPath: ["public"], roles: new Set() });
      const missed = missedIn(verdict, sql);
      if (missed === undefined) continue;
      compared += 1;
      expect(missed, sql).toEqual([]);
    }
    expect(compared).toBeGreaterThan(300);
  });

  test(
    "in generated statements no relation is missed that a second parser finds",
    { timeout: 2 ** 31 - 1 },
    async () => {
      const parser = await loadParser(major);
      let compared = 0;
      await runFor(async (seed) => {
        const world = makeWorld(
          choicesFrom(seededNumbers(seed, 2000)),
          choicesFrom(seededNumbers(-seed, 2000)),
          710_000_000,
        );
        const database = await createTestDatabase({ sql: servedSql(world), server });
        const catalog = await catalogOf(database);
        await database.close();
        const grants = grantsOf({ tables: roleTables(world) }, "world_tester", parser, identity);
        const property = (list: readonly number[]): void => {
          const { text } = statementOf(choicesFrom(list), world, major);
          const verdict = judge(text, { grants, catalog, parser, searchPath: ["public"], roles: new Set() });
          const missed = missedIn(verdict, text);
          if (missed === undefined) return;
          compared += 1;
          expect(missed, `world ${seed}: ${text}`).toEqual([]);
        };
        fc.assert(fc.property(numbers, property), { seed, numRuns: 500 });
      }, 1);
      report(`PostgreSQL ${major}: relations of ${compared} statements`);
      expect(compared).toBeGreaterThan(50);
    },
  );
});
