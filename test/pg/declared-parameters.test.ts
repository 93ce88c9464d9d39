import { afterAll, beforeAll, expect, test } from "vitest";
import { int16, int32, message, text } from "../../src/wire/writer.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { connectRaw, say, type RawConnection } from "./raw-connection.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";

// `bigint = oid` compares oids: the server would convert the column, and a hidden row's value that is no oid raises.

let database: TestDatabase;
let proxy: RunningProxy;
let through: RawConnection;

beforeAll(async () => {
  database = await createTestDatabase({
    sql: "create table big (id bigint, tenant_id int); insert into big values (1, 1), (99999999999, 2)",
  });
  const file = { tables: { big: { select: { rows: "tenant_id = identity.tenant" } } } };
  proxy = await startTestProxy({
    database,
    roles: { parameter_tester: { file, grants: "grant select on big to parameter_tester" } },
    users: { alice: { tenant: 1 } },
  });
  through = await connectRaw(proxy.client("alice"));
});
afterAll(async () => {
  through.close();
  await proxy.close();
  await database.close();
});

const select = "select id from big where id = $1";
const parse = (...types: number[]) =>
  message("P", text("", "name"), text(select, "sql"), int16(types.length), ...types.map((oid) => int32(oid)));
const rest = [say.bind("", "", ["1"]), say.execute(""), say.sync];

test.each([[26], [1028], [2205], [28]])(
  "a parameter of type %i is refused where a condition on it was judged safe",
  async (oid) => {
    const lines = (await through.ask([parse(oid), ...rest])).join("\n");
    expect(lines).toContain("a parameter of type oid");
    expect(lines).not.toContain("DataRow");
  },
);

test("SQL PREPARE with such a type keeps the condition out of hidden rows", async () => {
  const lines = (await through.ask([say.query(`prepare p(oid) as ${select}; execute p(1)`)])).join("\n");
  expect(lines).toContain("DataRow");
  expect(lines).not.toContain("ErrorResponse");
});

test.each([[20], [23], [1700], [0]])("a parameter of type %i is fine", async (oid) => {
  expect((await through.ask([parse(oid), ...rest])).join("\n")).toContain("DataRow");
});
