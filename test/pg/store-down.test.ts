import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { setTimeout as sleep } from "node:timers/promises";
import { createLogger } from "../../src/log.ts";
import { revoke } from "../../src/store/revocations.ts";
import { Store } from "../../src/store/store.ts";
import { startRelay, type CutRelay } from "./cut-relay.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { connectRaw } from "./raw-connection.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";
import { startStallingRelay } from "./stalling-relay.ts";
import { createTestStore, type TestStore } from "./store-database.ts";

let database: TestDatabase;
let shared: TestStore;
let relay: CutRelay;
let store: Store;

beforeAll(async () => {
  database = await createTestDatabase({ sql: "create table t (id int)" });
  shared = await createTestStore();
  relay = await startRelay(database);
  store = new Store(shared.address, createLogger("silent"));
});
afterAll(async () => {
  await store?.close();
  await relay?.close();
  await shared?.close();
  await database?.close();
});

afterEach(() => relay.restore());

const query: Store["query"] = (sql, values) => store.query(sql, values);

async function start(more: object, at: { host: string; port: number } = database): Promise<RunningProxy> {
  const select = { tables: { t: { select: "all" } } };
  return startTestProxy({
    database: { ...database, host: at.host, port: at.port },
    roles: { down_one: { file: select }, down_two: { file: select } },
    users: { alice: {}, eve: {} },
    more: {
      store: { ...shared.setting, url: shared.url(relay.port), ...more },
      admin: { address: "127.0.0.1:0" },
    },
  });
}

async function health(proxy: RunningProxy): Promise<[code: number, body: unknown]> {
  const answer = await fetch(`http://127.0.0.1:${proxy.proxy.adminPort}/health`);
  return [answer.status, await answer.json()];
}

const one = { rows: [{ one: 1 }] };

describe("refuse", () => {
  test("a failover of two seconds costs waiting, and nothing else", async () => {
    const proxy = await start({ grace: "20s" });
    const session = await proxy.connect("alice");
    await relay.cut();
    await sleep(1_500);
    expect(await session.query("select 1 as one")).toMatchObject(one);
    const entering = proxy.connect("alice");
    const changing = session.query("set role down_two");
    await sleep(500);
    await relay.restore();
    expect(await (await entering).query("select 1 as one")).toMatchObject(one);
    await changing;
    expect((await proxy.record()).map(({ event }) => event)).toEqual(
      expect.arrayContaining(["store lost", "store found"]),
    );
    await proxy.close();
  });

  test("a login that was under way when the store was lost does not outlive the grace", async () => {
    const slow = await startStallingRelay(database);
    const proxy = await start({ grace: "1s" }, slow);
    await (await proxy.connect("eve")).end();
    slow.stall();
    const entering = proxy.connect("alice").catch((error: unknown) => error);
    await sleep(300);
    await relay.cut();
    await sleep(3_000);
    slow.go();
    expect(await entering).toMatchObject({ code: "08006" });
    await proxy.close();
    await slow.close();
  });

  test.each(["cut", "frozen"])(
    "a store that is %s: nobody gets in, and sessions end after their grace",
    async (how) => {
      const proxy = await start({ grace: "7s" });
      const raw = await connectRaw(proxy.client("alice"));
      const session = await proxy.connect("alice");
      expect(await health(proxy)).toMatchObject([200, { checks: { store: "ok" } }]);
      if (how === "cut") await relay.cut();
      else relay.freeze();
      const closed = raw.untilClosed([]);
      const refused = { code: "08006", message: /store is not available/ };
      // Silence is noticed by a look that gets no answer in time.
      await sleep(how === "frozen" ? 4_000 : 300);
      await Promise.all([
        expect(proxy.connect("alice")).rejects.toMatchObject(refused),
        expect(session.query("set role down_two")).rejects.toMatchObject({ code: "08006" }),
      ]);
      // The session itself is not touched by that.
      expect(await session.query("select 1 as one")).toMatchObject(one);
      expect(await health(proxy)).toMatchObject([503, { status: "failing", checks: { store: "failing" } }]);
      expect((await closed)[0]).toContain("57P01");
      await relay.restore();
      await expect
        .poll(
          () =>
            proxy.connect("alice").then(
              () => "in",
              () => "out",
            ),
          { timeout: 5_000 },
        )
        .toBe("in");
      await proxy.close();
    },
  );

  test("one that is away at the start lets nobody in until it is there", async () => {
    await relay.cut();
    const proxy = await start({});
    await expect(proxy.connect("alice")).rejects.toMatchObject({ code: "08006" });
    await relay.restore();
    await expect
      .poll(
        () =>
          proxy.connect("alice").then(
            () => "in",
            () => "out",
          ),
        { timeout: 5_000 },
      )
      .toBe("in");
    await proxy.close();
  });
});

describe("continue", () => {
  test("who was revoked before stays out, and who is revoked meanwhile goes when the store is back", async () => {
    const proxy = await start({ whenDown: "continue", grace: "1s" });
    const more = {
      kind: "name",
      issuer: undefined,
      database: undefined,
      reason: "r",
      by: "b",
      until: undefined,
    } as const;
    await revoke(query, { ...more, value: "eve" });
    await expect
      .poll(
        () =>
          proxy.connect("eve").then(
            () => "in",
            () => "out",
          ),
        { timeout: 5_000 },
      )
      .toBe("out");
    await relay.cut();
    const raw = await connectRaw(proxy.client("alice"));
    const closed = raw.untilClosed([]);
    await expect(proxy.connect("eve")).rejects.toMatchObject({ code: "28000" });
    await sleep(1_500);
    const session = await proxy.connect("alice");
    await session.query("set role down_two");
    await expect
      .poll(() => health(proxy))
      .toMatchObject([200, { status: "ok", checks: { store: "failing" } }]);
    await revoke(query, { ...more, value: "alice" });
    expect(await session.query("select 1 as one")).toMatchObject(one);
    await relay.restore();
    expect((await closed)[0]).toContain("57P01");
    await proxy.close();
  });
});
