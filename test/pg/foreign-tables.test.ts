import type { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, describeServers, type TestDatabase } from "./embedded-database.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";

// A foreign table's rows are changed by another server, whose triggers nothing here knows of.

const far = `
create schema remote;
create table remote.far (id integer primary key, tenant_id integer, note text, code text);
insert into remote.far values (1, 1, 'a', '1'), (2, 1, 'b', '2'), (3, 2, 'CANARY', 'CANARY');
create function remote.move() returns trigger language plpgsql as
  $$ begin if new.note = 'stolen' then new.tenant_id := 2; end if; return new; end $$;
create trigger move before insert or update on remote.far for each row execute function remote.move();
create extension postgres_fdw;`;

describeServers((server) => {
  let database: TestDatabase;
  let proxy: RunningProxy;
  let session: Client;
  beforeAll(async () => {
    database = await createTestDatabase({ sql: far, server });
    const { host, port, name, adminUrl } = database;
    const { username, password } = new URL(adminUrl);
    await database.query(`
      create server itself foreign data wrapper postgres_fdw options (host '${host}', port '${port}', dbname '${name}');
      create user mapping for public server itself options (user '${username}', password '${password}');
      create foreign table far (id integer, tenant_id integer, note text, code text)
        server itself options (schema_name 'remote', table_name 'far');`);
    const rows = "tenant_id = identity.tenant";
    proxy = await startTestProxy({
      database,
      roles: {
        far_writer: {
          file: {
            tables: {
              far: {
                select: { rows },
                insert: { columns: "all", check: rows },
                update: { columns: ["note"] },
                delete: "all",
              },
            },
          },
          grants: "grant all on far to far_writer",
        },
      },
      users: { alice: { tenant: 1 } },
    });
    session = await proxy.connect("alice");
  });
  afterAll(async () => {
    await proxy?.close();
    await database?.close();
  });

  const ask = async (text: string) => (await session.query<unknown[]>({ text, rowMode: "array" })).rows;

  test("conditions that can raise run on visible rows only, here or there", async () => {
    expect(await ask("select id from far where code::int > 0 order by id")).toEqual([[1], [2]]);
    expect(await ask("update far set note = 'x' where code::int > 1 returning id, note")).toEqual([[2, "x"]]);
    expect(await ask("delete from far where code::int > 1 and id = 1")).toEqual([]);
  });

  test("rows are judged as the other server stores them", async () => {
    await expect(ask("update far set note = 'stolen' where id = 1")).rejects.toMatchObject({ code: "42501" });
    await expect(ask("insert into far values (9, 1, 'stolen', '9')")).rejects.toMatchObject({
      code: "42501",
    });
    expect(await ask("insert into far values (9, 1, 'new', '9') returning *")).toEqual([[9, 1, "new", "9"]]);
    await expect(ask("copy far from stdin")).rejects.toMatchObject({ code: "0A000" });
  });

  test("hidden rows stay as they are", async () => {
    await ask("update far set note = 'y'");
    await ask("delete from far");
    const { rows } = await database.query("select * from remote.far");
    expect(rows).toEqual([{ id: 3, tenant_id: 2, note: "CANARY", code: "CANARY" }]);
  });
});
