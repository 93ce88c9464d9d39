import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { Client, DatabaseError } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readCatalog } from "../../src/catalog/load.ts";
import { bindGrants, compileRole } from "../../src/policy/grants.ts";
import { readRoleFile } from "../../src/policy/read.ts";
import { judge, type JudgeContext } from "../../src/rewrite/judge.ts";
import { loadParser } from "../../src/sql/parser.ts";
import { createTestDatabase, describeServers, type TestDatabase } from "./embedded-database.ts";

// An operator, a cast or an operator class is chosen by types, by rules of the server's that have many corners. Here
// statements are put together by chance, and those that are let through run on the database as they are sent: a
// function that says something was called, and it should not have been.

const roleYaml = `
role: quiet
database: shop
tables:
  left_side: { select: all, insert: all, update: all }
  right_side: { select: all, insert: all, update: all }
`;

const columns = "id name label p c s g n u v vs cs f amount".split(" ");
const types =
  "integer text pair colour small grade serialno uuid version bigint varchar(5) colour[] checked boolean".split(
    " ",
  );
const literals =
  "'x' 'r' '1' 1 2.5 null true '(1,x)' '(1)' '00000000-0000-0000-0000-000000000001' '{r}'".split(" ");
const operators = ["=", "<>", "<", "+", "||", "<->", "=#", "<#", "is distinct from", "and"];
const functions = [
  "length",
  "lower",
  "abs",
  "to_jsonb",
  "array_length",
  "max",
  "count",
  "array_agg",
  "count(distinct",
];

const any = (texts: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...texts);
const put = (
  parts: readonly fc.Arbitrary<string>[],
  text: (...parts: string[]) => string,
): fc.Arbitrary<string> => fc.tuple(...parts).map((values) => text(...values));

const { value } = fc.letrec<{ value: string }>((tie) => {
  const part = tie("value");
  return {
    value: fc.oneof(
      { maxDepth: 2 },
      any(columns),
      any(literals),
      put([any(["l", "r"]), any(columns)], (side, column) => `${side}.${column}`),
      put([part, any(types)], (inner, type) => `(${inner})::${type}`),
      put([part, any(operators), part], (a, operator, b) => `(${a} ${operator} ${b})`),
      put([any(functions), part], (name, a) => `${name}${name.includes("(") ? " " : "("}${a})`),
      put(
        [any(["coalesce", "greatest", "nullif", "concat", "array_position", "array_append"]), part, part],
        (name, a, b) => `${name}(${a}, ${b})`,
      ),
      put([part, part, part], (a, b, c) => `case ${a} when ${b} then ${c} else null end`),
      put([part, part, part], (a, b, c) => `case when ${a} then ${b} else ${c} end`),
      put([part, part, part], (a, b, c) => `(${a} in (${b}, ${c}))`),
      put([part, part], (a, b) => `(${a} between ${b} and ${b})`),
      put([part, part], (a, b) => `(${a} = any(array[${b}]))`),
      put([part, part], (a, b) => `(row(${a}, ${b}) = row(${b}, ${a}))`),
      put([part, any(["a", "b", "n"])], (a, field) => `((${a}).${field})`),
      put([part], (a) => `(select ${a} from right_side r limit 1)`),
      put([part, part], (a, b) => `(${a} in (select ${b} from right_side r))`),
    ),
  };
});

const both = "left_side l, right_side r";
const statement = fc.oneof(
  put([value, value], (a, b) => `select ${a} from left_side l where ${b}`),
  put([value, value], (a, b) => `select ${a} from ${both} where ${b}`),
  put([value, value], (a, b) => `select distinct ${a}, ${b} from left_side l`),
  put([value, value], (a, b) => `select ${a} from left_side l order by ${b}`),
  put([value, value], (a, b) => `select count(*), ${a} from left_side l group by ${a} having ${b}`),
  put([value, value], (a, b) => `select ${a} from left_side l union select ${b} from right_side r`),
  put([value, value], (a, b) => `select ${a} from left_side l union all select ${b} from right_side r`),
  put(
    [value, any(columns)],
    (a, column) => `select ${a} from left_side l join right_side r using (${column})`,
  ),
  put([value], (a) => `select ${a} from left_side l natural join right_side r`),
  put([value, value], (a, b) => `select w, w || 'x', ${b} from (select ${a} from left_side l) x(w)`),
  put(
    [value, value],
    (a, b) => `with y as (select ${a} as id, ${a} as name from left_side l) select ${b} from y`,
  ),
  put([value], (a) => `select rank() over (partition by ${a} order by ${a}) from left_side l`),
  put([any(columns), value], (column, a) => `insert into left_side (${column}) values (${a})`),
  put([any(columns), value], (column, a) => `insert into left_side (${column}) select ${a} from left_side l`),
  put([any(columns), value], (column, a) => `update left_side l set ${column} = ${a}`),
  put([value], (a) => `select * from left_side l where ${a}`),
  put([value, value], (a, b) => `values (${a}), (${b})`),
  put([value], (a) => `select x from unnest(array[${a}]) as x where x = x`),
  put(
    [any(types), value],
    (type, a) => `prepare by_chance(${type.replace("(5)", "")}) as select $1 = ${a}; execute by_chance('1')`,
  ),
);

describeServers((server, major) => {
  let database: TestDatabase;
  let client: Client;
  let context: JudgeContext;
  const heard: string[] = [];

  beforeAll(async () => {
    const sql = readFileSync(new URL("chosen-calls.sql", import.meta.url), "utf8");
    database = await createTestDatabase({ sql, server });
    client = new Client({ connectionString: database.adminUrl });
    client.on("notice", ({ message = "" }) => heard.push(message));
    await client.connect();
    await client.query("set search_path = pg_catalog, pg_temp");
    const { catalog } = await readCatalog(
      async (text) => (await client.query<string[]>({ text, rowMode: "array" })).rows[0]!,
    );
    await client.query("set search_path = public");
    const parser = await loadParser(major);
    const compiled = compileRole(readRoleFile(roleYaml, "roles/quiet.yaml").roleFile!, parser);
    if (compiled.kind === "refused") throw new Error(JSON.stringify(compiled.problems));
    const identity = { name: "alice", method: "password", attributes: {}, expiresAt: undefined } as const;
    context = {
      catalog,
      parser,
      grants: bindGrants(compiled.role, identity),
      searchPath: ["public"],
      roles: new Set<string>(),
    };
  });
  afterAll(async () => {
    await client.end();
    await database.close();
  });

  /** What was said, and whether the text ran. */
  async function run(text: string): Promise<{ said: string[]; ran: boolean }> {
    heard.length = 0;
    await client.query("begin");
    try {
      await client.query(text);
      return { said: heard.filter((message) => message.startsWith("CALLED")), ran: true };
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      return { said: heard.filter((message) => message.startsWith("CALLED")), ran: false };
    } finally {
      await client.query("rollback; deallocate all");
    }
  }

  test("what is let through calls nothing that the role may not call", async () => {
    const counts = { refused: 0, refusedSilent: 0, ran: 0, failed: 0 };
    await fc.assert(
      fc.asyncProperty(statement, async (text) => {
        const verdict = judge(text, context);
        const { said, ran } = await run(verdict.kind === "run" ? verdict.text : text);
        if (verdict.kind === "run") {
          counts[ran ? "ran" : "failed"] += 1;
          expect(said).toEqual([]);
        } else if (ran) {
          counts.refused += 1;
          if (said.length === 0) counts.refusedSilent += 1;
        }
      }),
      { numRuns: Number(process.env["RUNS"] ?? 3000) },
    );
    console.log(counts);
    expect(counts.ran).toBeGreaterThan(20);
  });
});
