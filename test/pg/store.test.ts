import { pathToFileURL } from "node:url";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLogger } from "../../src/log.ts";
import { migrate, checkSchema, SchemaError } from "../../src/store/migrate.ts";
import { readMigrations } from "../../src/store/migrations.ts";
import { Store } from "../../src/store/store.ts";
import { fakeServer, tell } from "./fake-server.ts";
import { createTestStore, type TestStore } from "./store-database.ts";

const log = createLogger("silent");
let store: TestStore;
beforeAll(async () => {
  store = await createTestStore({ migrated: false });
});
afterAll(() => store?.close());

/** The program's own migrations and one more, as a newer version has them. */
function newer(sql: string): ReturnType<typeof readMigrations> {
  const directory = mkdtempSync(join(tmpdir(), "rolegate-migrations-"));
  const own = readMigrations();
  for (const { name, sql: text } of own) writeFileSync(join(directory, name), text);
  const number = String(own.length + 1).padStart(4, "0");
  writeFileSync(join(directory, `${number}-newer.sql`), sql);
  const migrations = readMigrations(pathToFileURL(`${directory}/`));
  rmSync(directory, { recursive: true });
  return migrations;
}

describe("migrations", () => {
  test("from several instances at once each is applied once, by a login with rights on its schema alone", async () => {
    const applied = await Promise.all(Array.from({ length: 5 }, () => migrate(store.address)));
    expect(applied.flat()).toEqual(readMigrations().map(({ name }) => name));
    expect(await migrate(store.address)).toEqual([]);
    const opened = new Store(store.address, log);
    await checkSchema((sql, values) => opened.query(sql, values));
    await expect(opened.query("create schema other")).rejects.toMatchObject({ code: "42501" });
    await expect(opened.query("create table public.t ()")).rejects.toMatchObject({ code: "42501" });
    await opened.close();
  });

  test("one that fails leaves nothing behind", async () => {
    const broken = newer("create table rolegate.half (id int); select 1 / 0");
    await expect(migrate(store.address, broken)).rejects.toMatchObject({ code: "22012" });
    const { rows } = await store.database.query("select to_regclass('rolegate.half') as half");
    expect(rows).toEqual([{ half: null }]);
    expect(await migrate(store.address)).toEqual([]);
  });

  test("a store that is newer, another or behind is refused in words", async () => {
    const opened = new Store(store.address, log);
    const check = () => checkSchema((sql, values) => opened.query(sql, values));
    await migrate(store.address, newer("create table rolegate.more ()"));
    await expect(migrate(store.address)).rejects.toThrow(
      /the store is newer than this rolegate: it has .*-newer/,
    );
    await expect(check()).rejects.toThrow(SchemaError);
    await store.database.query(
      "drop table rolegate.more; delete from rolegate.migrations where name like '%newer%'",
    );
    await store.database.query("update rolegate.migrations set checksum = 'x' || checksum where number = 1");
    await expect(migrate(store.address)).rejects.toThrow(/the store has another 0001-/);
    await store.database.query(
      "update rolegate.migrations set checksum = substr(checksum, 2) where number = 1",
    );
    await store.database.query("alter table rolegate.migrations rename to away");
    await expect(check()).rejects.toThrow(/run rolegate migrate/);
    await store.database.query("alter table rolegate.away rename to migrations");
    await check();
    await opened.close();
  });
});

describe("statements", () => {
  test("the store's own answer is told apart from its absence", async () => {
    const opened = new Store(store.address, log);
    await expect(opened.query("select 1 / $1::int", [0])).rejects.toMatchObject({ code: "22012" });
    await expect(
      opened.transaction(async (query) => {
        await query("insert into rolegate.versions values ('gone')");
        throw new Error("ours");
      }),
    ).rejects.toThrow("ours");
    expect(await opened.query("select from rolegate.versions where topic = 'gone'")).toEqual([]);
    await expect(opened.query("select pg_terminate_backend(pg_backend_pid())")).rejects.toMatchObject({
      problem: { code: "store_unavailable" },
    });
    expect(await opened.query("select 1 as one")).toEqual([{ one: 1 }]);
    await opened.close();
    const nowhere = { ...store.address, target: { ...store.address.target, port: 1 } };
    await expect(new Store(nowhere, log).query("select 1")).rejects.toMatchObject({
      problem: { code: "store_unavailable" },
    });
  });
});

test("a watch looks when it is told to, on its own, and again after its connection was lost", async () => {
  const opened = new Store(store.address, log);
  let looks = 0;
  const events: string[] = [];
  const reader = {
    channel: "rolegate_test",
    read: async (query: (sql: string) => Promise<unknown>) => {
      await query("select 1");
      looks++;
    },
  };
  opened.watch([reader], { current: () => events.push("current"), lost: () => events.push("lost") });
  await expect.poll(() => looks).toBe(1);
  // Far below the half second after which it looks anyway; the best of a few, for others use the machine.
  const waits: number[] = [];
  for (let times = 0; times < 5; times++) {
    await sleep(50);
    const [told, before] = [performance.now(), looks];
    await store.database.query("select pg_notify('rolegate_test', repeat('\u{202e}rubbish', 100))");
    await expect.poll(() => looks, { interval: 5 }).toBeGreaterThan(before);
    waits.push(performance.now() - told);
  }
  expect(Math.min(...waits)).toBeLessThan(200);
  const idle = looks;
  await expect.poll(() => looks, { timeout: 3_000 }).toBeGreaterThan(idle);
  // A flood of notifications is answered by a few looks.
  const before = looks;
  await store.database.query(
    "do $$ begin for i in 1..5000 loop perform pg_notify('rolegate_test', i::text); end loop; end $$",
  );
  await sleep(500);
  expect(looks - before).toBeLessThan(30);
  await store.database.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'rolegate store' and datname = current_database()",
  );
  await expect.poll(() => events.includes("lost")).toBe(true);
  const after = looks;
  await expect.poll(() => looks, { timeout: 3_000 }).toBeGreaterThan(after);
  await opened.close();
});

test("a server that does not prove that it knows the password is not the store", async () => {
  // Whoever takes the port of one that died, and lets everybody in.
  const impostor = await fakeServer(async (socket, heard) => {
    await heard();
    socket.write(tell.welcome());
    for (;;) {
      await heard();
      socket.write(Buffer.concat([tell.facts({ version: "1" }), tell.ready]));
    }
  });
  const { target, login } = store.address;
  const opened = new Store({ target: { ...target, port: impostor.port }, login }, log);
  const lost = await new Promise((resolve) => {
    opened.watch([{ channel: "rolegate_requests", read: async () => {} }], {
      current: () => resolve("taken for the store"),
      lost: resolve,
    });
  });
  expect(String(lost)).toContain("by SCRAM");
  await expect(opened.query("select 1 as version")).rejects.toMatchObject({
    problem: { code: "store_unavailable" },
  });
  // Nothing but packets that begin a connection.
  expect(impostor.received.every((bytes) => bytes[0] === 0 || bytes[0] === 0x58)).toBe(true);
  await opened.close();
  await impostor.close();
});
