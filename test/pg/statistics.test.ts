import { Client, DatabaseError } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { judge, type JudgeContext } from "../../src/rewrite/judge.ts";
import { loadParser } from "../../src/sql/parser.ts";
import { createTestDatabase, describeServers, type TestDatabase } from "./embedded-database.ts";
import { catalogOf, grantsOf } from "./judgement-context.ts";

// To guess how many rows a condition leaves, the planner tries it on the most common values and the histogram of the
// column, which hold values of all rows (selfuncs.c). OFFSET 0 does not keep it from that; a condition that raises for
// some values and not for others would tell of hidden ones, one letter at a time.

const sql = `
  create table people (id integer, tenant_id integer, name text, town text);
  insert into people select i, i % 2 + 1, case when i % 2 = 0 then 'own' else 'CANARY' end, 'town' || i
    from generate_series(1, 1000) i;
  analyze people;
  create function watched(text, text) returns boolean language plpgsql immutable
    as $$ begin raise notice 'seen %', $1; return $1 = $2; end $$;
  create operator ==== (leftarg = text, rightarg = text, function = watched, restrict = eqsel, join = eqjoinsel)`;

const role = `
role: own_rows
database: shop
tables:
  people: { select: { rows: tenant_id = 1 }, update: { rows: tenant_id = 1 }, delete: all }
functions: { allow: [watched] }
`;

describeServers((server, major) => {
  let database: TestDatabase;
  let client: Client;
  let context: JudgeContext;
  const notices: string[] = [];

  beforeAll(async () => {
    database = await createTestDatabase({ sql, server });
    client = new Client({ connectionString: database.adminUrl });
    client.on("notice", ({ message = "" }) => notices.push(message));
    await client.connect();
    const parser = await loadParser(major);
    const catalog = await catalogOf(database);
    context = {
      catalog,
      parser,
      grants: grantsOf(role, "own_rows", parser, {}),
      searchPath: ["public"],
      roles: new Set(),
    };
  });
  afterAll(async () => {
    await client.end();
    await database.close();
  });

  async function outcome(text: string): Promise<string> {
    notices.length = 0;
    try {
      await client.query(text);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      notices.push(error.message);
    }
    return notices.join("\n");
  }

  const attacks = [
    "select id from people where name like 'CAN_R\\'",
    "select id from (select name as n, id from people) x where n like 'CAN_R\\'",
    "select id from (select * from people) as x(id, b, n) where n like 'CAN_R\\'",
    "with x as (select * from people) select id from x where name like 'CAN_R\\'",
    "select a.id from people a join people b on a.name like 'CAN_R\\' and a.id = b.id",
    "select id from people where town like 'town9_\\'",
    "select id from people where name ==== 'own'",
    "select a.id from people a join people b on a.name ==== b.name and a.id = b.id and b.id = 2",
    "select id from people where name like 'CAN_R\\' for update",
    "update people set town = 'x' where name like 'CAN_R\\'",
    "update people a set town = 'x' from people b where a.name ==== b.name and b.id = 2",
    "delete from people where name like 'CAN_R\\'",
    "select count(*) from people group by name having name like 'CAN_R\\'",
    "select id from people p where exists (select from people q where q.name like 'CAN_R\\' and q.id = p.id)",
  ];

  test.each(attacks)("%s", async (text) => {
    const verdict = judge(text, context);
    if (verdict.kind === "refuse") return;
    const told = await outcome(`explain ${verdict.text}`);
    expect(told).toBe("");
    expect(await outcome(verdict.text)).not.toContain("CANARY");
  });

  test("the planner would tell without more than OFFSET 0", async () => {
    const barrier = "(select * from people where tenant_id = 1 offset 0) people";
    expect(await outcome(`explain select id from ${barrier} where name like 'CAN_R\\'`)).toContain(
      "LIKE pattern",
    );
    expect(await outcome(`explain select id from ${barrier} where name ==== 'own'`)).toContain("seen CANARY");
  });
});
