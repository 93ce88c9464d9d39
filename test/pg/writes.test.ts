import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, describeServers, type TestDatabase } from "./embedded-database.ts";
import { startTestProxy, userPassword, type RunningProxy } from "./running-proxy.ts";

// Where every row satisfies every rule, a client sees of a write what it sees of the server itself: the same command
// tag, the same columns, the same rows, although conditions, checks and lists of RETURNING are put in.

const schema = `
create type mood as enum ('fine', 'bad');
create table t (id integer primary key, tenant_id integer not null default 1, name varchar(20), amount numeric(10, 2) default 0,
  mood mood, tags text[], total numeric generated always as (amount * 2) stored);
insert into t (id, name, amount, mood, tags) values (1, 'a', 1, 'fine', '{x}'), (2, 'b', 2, null, null), (3, 'c', 3, 'bad', '{}');
create table s (id integer primary key, name text);
insert into s values (1, 'one'), (3, 'three'), (9, 'nine');
create function stamp() returns trigger language plpgsql as $$ begin new.name := new.name || '!'; return new; end $$;
create table stamped (id integer primary key, tenant_id integer not null default 1, name text);
insert into stamped values (1, 1, 'a');
create trigger stamp before insert or update on stamped for each row execute function stamp();
create table parts (id integer, tenant_id integer default 1, at date, primary key (id, at)) partition by range (at);
create table parts_1 partition of parts for values from ('2025-01-01') to ('2025-02-01');
create table parts_2 partition of parts for values from ('2025-02-01') to ('2025-03-01');
insert into parts (id, at) values (1, '2025-01-05'), (2, '2025-02-05');
create view v as select id, tenant_id, name from t;`;

const rows = "tenant_id = identity.tenant";
const every = { columns: "all", rows, check: rows } as const;
const own = {
  select: { rows },
  insert: { columns: "all", check: "tenant_id = identity.tenant and id < 1000" },
  update: every,
  delete: { rows },
};

type Sent = readonly [text: string, values?: readonly unknown[]];

const statements: readonly Sent[] = [
  ["insert into t (id, name) values (4, 'd')"],
  ["insert into t (id, name, amount) values (4, 'd', 1.239) returning *"],
  [
    "insert into t (id, name) values ($1, $2) returning id, name as other, amount, lower(name), 'x', null",
    [5, "e"],
  ],
  ["insert into t (id, mood) select id + 10, 'fine' from s returning id, mood"],
  ["insert into t (id) values (1) on conflict do nothing"],
  [
    "insert into t (id, name) values (1, 'z'), (7, 'y') on conflict (id) do update set name = excluded.name || t.name returning id, name",
  ],
  ["insert into t (id, name) values (1, 'z') on conflict (id) do update set name = 'q' where t.amount > 100"],
  ["insert into t default values"],
  ["insert into t (id, name) values (8, 'much too long a name for the column')"],
  ["insert into v (id, name) values (20, 'v') returning *"],
  ["insert into stamped (id, name) values (2, 'b') returning *"],
  ["update t set name = name || 'x'"],
  [
    "update t set name = upper(name) where amount::int > 1 returning id, name, tags[1], (select count(*) from s)",
  ],
  [
    "update t set (name, amount) = (select s.name, 7 from s where s.id = t.id) where id = $1 returning t.*",
    [1],
  ],
  ["update t set tags[2] = 'y', amount = default where id = 1 returning tags, amount"],
  ["update t set mood = $2 where id = $1", [1, "bad"]],
  ["update t set name = s.name from s where s.id = t.id returning *"],
  [
    "update t set name = v.name from (values (1, 'p'), (2, 'q')) v (id, name) where v.id = t.id returning t.id, v.*",
  ],
  ["update t set id = 2 where id = 1"],
  ["update only parts set at = '2025-02-03' where id = 1 returning *"],
  ["update parts set at = '2025-02-03' where id = 1 returning *"],
  ["update parts set at = '2030-01-01' where id = 1"],
  ["update stamped set id = 5 returning name"],
  ["update v set name = 'v' where id = 1 returning *"],
  ["update t set nothing = 1"],
  ["delete from t where id = any($1) returning id", [[1, 3]]],
  ["delete from t using s where s.id = t.id and s.name like 'o%' returning *"],
  ["delete from t where false returning *"],
  ["delete from parts"],
  [
    "with gone as (delete from t returning *) insert into t (id, name) select id + 50, name from gone returning id",
  ],
  ["with new as (insert into t (id) values (60)) select count(*) from s"],
  [
    "merge into t using s on s.id = t.id when matched then update set name = s.name when not matched then insert (id, tenant_id, name) values (s.id, 1, s.name)",
  ],
  [
    "merge into t using s on s.id = t.id and t.amount::int > 0 when matched and s.id = 1 then delete when matched then do nothing",
  ],
  ["merge into t using (select 1 as id) s on s.id = t.id when matched then update set amount = t.amount + 1"],
  ["merge into t using s on true when matched then update set name = s.name"],
];

/** From 17 on. */
const later: readonly Sent[] = [
  [
    "merge into t using s on s.id = t.id when matched then update set name = s.name when not matched then insert (id, name) values (s.id, s.name) when not matched by source then delete returning merge_action(), t.id, t.name, s.*",
  ],
  ["merge into t using s on s.id = t.id when matched then update set name = s.name returning *"],
  [
    "with m as (merge into t using s on s.id = t.id when matched then delete returning t.id) select * from m order by 1",
  ],
];

/** From 18 on. */
const latest: readonly Sent[] = [
  ["update t set amount = amount + 1 returning old.amount, new.amount, old.*"],
  [
    "insert into t (id, name) values (1, 'z'), (7, 'y') on conflict (id) do update set name = excluded.name returning with (old as o) o.name, t.name",
  ],
  ["delete from t where id = 1 returning old.*, new.id"],
];

const cursors = [
  "declare c cursor for select * from t order by id for update; fetch c; update t set name = upper(name) where current of c returning id, name",
  "declare c cursor for select id from t; fetch 2 c; delete from t where current of c",
  "declare c cursor for select id from t; update t set name = 'x' where current of c",
  "update t set name = 'x' where current of c",
];

async function answer(client: Client, text: string, values: readonly unknown[] | undefined) {
  await client.query("begin");
  try {
    const query = { text, rowMode: "array" as const };
    const given = values === undefined ? query : { ...query, values: [...values] };
    const results = await client.query<unknown[]>(given);
    return [results].flat().map(({ command, rowCount, fields, rows: found }) => ({
      command,
      rowCount,
      rows: found,
      fields: fields.map(({ name, dataTypeID, dataTypeModifier, format }) => ({
        name,
        dataTypeID,
        dataTypeModifier,
        format,
      })),
    }));
  } catch (error) {
    return (error as { code?: string }).code;
  } finally {
    await client.query("rollback");
  }
}

describeServers((server, major) => {
  let database: TestDatabase;
  let proxy: RunningProxy;
  let through: Client;
  let direct: Client;
  beforeAll(async () => {
    database = await createTestDatabase({ sql: schema, server });
    proxy = await startTestProxy({
      database,
      roles: {
        write_tester: {
          file: { tables: { t: own, s: { select: "all" }, stamped: own, parts: own, v: own } },
          grants: "grant all on all tables in schema public to write_tester",
        },
      },
      users: { alice: { tenant: 1 } },
    });
    through = await proxy.connect("alice");
    direct = new Client({ connectionString: database.adminUrl });
    await direct.connect();
    await direct.query("set role write_tester");
  });
  afterAll(async () => {
    await direct?.end();
    await proxy?.close();
    await database?.close();
  });

  const all = [...statements, ...(major >= 17 ? later : []), ...(major >= 18 ? latest : [])];
  test.each(all.map(([text, values]) => ({ text, values })))("as the server answers: $text", async (one) => {
    const { text, values } = one;
    const expected = await answer(direct, text, values);
    expect(await answer(through, text, values)).toEqual(expected);
    // Prepared, so that the columns are asked for before there are rows.
    expect(await answer(through, text, values ?? [])).toEqual(await answer(direct, text, values ?? []));
  });

  test.each(cursors)("as the server answers: %s", async (text) => {
    expect(await answer(through, text, undefined)).toEqual(await answer(direct, text, undefined));
  });

  test("psql prints the tags and rows of writes as they are", async () => {
    const script = [
      "begin",
      "update t set name = 'p' where id = 1",
      "insert into t (id, name) values (70, 'q')",
      "merge into t using s on s.id = t.id when matched then update set name = 'r'",
      "update t set name = 's' where id = 2 returning id, name",
      "delete from t where id = 70",
      "rollback",
    ];
    const { host, port } = proxy;
    const args = ["-X", "-A", "-t", "-h", host, "-p", String(port), "-U", "alice", "-d", database.name];
    const { stdout } = await promisify(execFile)(
      "psql",
      [...args, ...script.flatMap((line) => ["-c", line])],
      { env: { ...process.env, PGPASSWORD: userPassword } },
    );
    expect(stdout.trim().split("\n")).toEqual([
      "BEGIN",
      "UPDATE 1",
      "INSERT 0 1",
      "MERGE 2",
      "2|s",
      "UPDATE 1",
      "DELETE 1",
      "ROLLBACK",
    ]);
  });
});
