import { afterAll, beforeAll, expect, test } from "vitest";
import { int16, int32, message, text } from "../../src/wire/writer.ts";
import { createTestDatabase, describeServers, type TestDatabase } from "./embedded-database.ts";
import { connectRaw, say, type RawConnection } from "./raw-connection.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";

// What a parameter or a column is converted to depends on types that do not stand in the text: those that Parse declares,
// those that another place of the text gives the parameter, and those of the column itself. A conversion for each row
// raises, or not, behind the other conditions, and so tells whether they held on a hidden row. The rule costs more than
// any of them, so that the planner would run it last.

const sql = `
  create table items (id bigint, region text, size float8, note text,
    one text collate "C", other text collate "POSIX");
  insert into items values (1, 'here', 1, 'own', 'a', 'b'), (99999999999, 'there', 2, 'CANARY', 'a', 'b');
  create domain identifier as oid`;
/** Computed whenever they are read, which only 18 can. */
const virtual = `
  create table texts (id int, region text, secret text, number int generated always as (secret::int) virtual);
  insert into texts (id, region, secret) values (1, 'here', '1'), (2, 'there', 'CANARY')`;

const rows = "lower(upper(lower(upper(region)))) = identity.region";

const parse = (query: string, ...types: number[]) =>
  message("P", text("", "name"), text(query, "sql"), int16(types.length), ...types.map((oid) => int32(oid)));

describeServers((server, major) => {
  let database: TestDatabase;
  let proxy: RunningProxy;
  let through: RawConnection;
  let identifier: number;

  beforeAll(async () => {
    database = await createTestDatabase({ server, sql: major >= 18 ? `${sql};${virtual}` : sql });
    const file = {
      tables: {
        items: { select: { rows } },
        ...(major >= 18 && { texts: { select: { columns: ["id", "number"], rows } } }),
      },
    };
    proxy = await startTestProxy({
      database,
      roles: {
        parameter_tester: { file, grants: "grant select on all tables in schema public to parameter_tester" },
      },
      users: { alice: { region: "here" } },
    });
    through = await connectRaw(proxy.client("alice"));
    const { rows: types } = await database.query("select 'identifier'::regtype::oid::int as oid");
    identifier = (types[0] as { oid: number }).oid;
    await through.ask([say.query("set plan_cache_mode = force_generic_plan")]);
  });
  afterAll(async () => {
    through.close();
    await proxy.close();
    await database.close();
  });

  const run = async (query: string, types: readonly number[], ...values: string[]) =>
    (await through.ask([parse(query, ...types), say.bind("", "", values), say.execute(""), say.sync])).join(
      "\n",
    );

  const select = "select id from items where id = $1";

  test.each([[26], [1700], [20], [23], [0]])("a parameter of type %i", async (oid) => {
    const lines = await run(select, [oid], "1");
    expect(lines).toContain("DataRow");
    expect(lines).not.toContain("ErrorResponse");
  });

  test("of a domain over oid", async () => {
    const lines = await run(select, [identifier], "1");
    expect(lines).toContain("DataRow");
    expect(lines).not.toContain("ErrorResponse");
  });

  test("that another place of the text makes an oid", async () => {
    const lines = await run("select $1::oid, id from items where id = $1", [], "1");
    expect(lines).not.toContain("out of range");
  });

  test.each([
    ["a cast of a text", 25, "int4", "abc"],
    ["a cast to a smaller integer", 23, "int2", "99999"],
  ])("%s says nothing of hidden rows", async (_name, oid, type, value) => {
    const query = `select id from items where id = 99999999999 and note = $2 and size = $1::${type}`;
    expect(await run(query, [oid, 25], value, "CANARY")).not.toContain("ErrorResponse");
    const sqlText = `prepare p(${oid === 25 ? "text" : "int"}) as ${query}; execute p('${value}', 'CANARY'); deallocate p`;
    expect((await through.ask([say.query(sqlText)])).join("\n")).not.toContain("ErrorResponse");
    // Where nothing but the cast gives it a type, it is that type, and the index serves.
    expect(await run("select id from items where id = $1::int8", [], "1")).toContain("DataRow");
  });

  test("numeric beside a float", async () => {
    const query = "select id from items where note = 'CANARY' and size = $1";
    expect(await run(query, [1700], "1e400")).not.toContain("ErrorResponse");
  });

  test("columns of two collations", async () => {
    const query = "select id from items where id = 99999999999 and one = other";
    expect(await run(query, [])).not.toContain("ErrorResponse");
  });

  test.runIf(major >= 18)("a column that is computed when it is read", async () => {
    for (const condition of ["number is not null", "number = 2", "number in (1, 2)"])
      expect(await run(`select id from texts where ${condition}`, [])).not.toContain("ErrorResponse");
    await database.query("update texts set secret = 'CANARY' where id = 1");
    expect(await run("select number from texts", [])).not.toContain("CANARY");
  });
});
