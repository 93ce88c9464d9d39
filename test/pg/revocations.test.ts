import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { NewRevocation } from "../../src/store/revocations.ts";
import { lift, revoke } from "../../src/store/revocations.ts";
import { Store } from "../../src/store/store.ts";
import { createLogger } from "../../src/log.ts";
import { makeVerifier } from "../../src/scram/verifier.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { connectRaw, extended, kinds, say } from "./raw-connection.ts";
import { startTestProxy, userPassword, type RunningProxy } from "./running-proxy.ts";
import { createTestStore, type TestStore } from "./store-database.ts";
import { createTokenIssuer, issuerName, type TokenIssuer } from "./token-issuer.ts";

let database: TestDatabase;
let shared: TestStore;
let store: Store;
let issuer: TokenIssuer;
/** Two instances that share a store. */
let proxies: RunningProxy[];
const quoted = `o'neil"; drop table rolegate.revocations; --`;
const users = ["alice", "bob", "carol", "dave", "erin", "mallory", quoted, `${quoted}x`];

beforeAll(async () => {
  database = await createTestDatabase({ sql: "create table t (id int)" });
  shared = await createTestStore();
  store = new Store(shared.address, createLogger("silent"));
  issuer = await createTokenIssuer();
  const verifier = await makeVerifier(userPassword, { salt: Buffer.from("salt-of-the-tests") });
  const start = () =>
    startTestProxy({
      database,
      roles: {
        revoke_one: {
          file: {
            tables: { t: { select: "all", insert: "all" } },
            functions: { allow: ["pg_sleep"] },
            session: { listen: ["news"] },
          },
          grants: "grant all on t to revoke_one",
        },
        revoke_two: { file: { tables: { t: { select: "all" } } }, grants: "grant all on t to revoke_two" },
      },
      users: {},
      more: {
        store: shared.setting,
        identities: [
          {
            type: "password",
            users: Object.fromEntries(users.map((name) => [name, { verifier }])),
          },
          issuer.entry({ allowPlaintextOnLoopback: true }),
        ],
      },
    });
  proxies = await Promise.all([start(), start()]);
});
afterAll(async () => {
  await Promise.all((proxies ?? []).map((proxy) => proxy.close()));
  await store?.close();
  await shared?.close();
  await database?.close();
});

const take = (more: Partial<NewRevocation> & Pick<NewRevocation, "kind" | "value">): Promise<string> =>
  revoke((sql, values) => store.query(sql, values), {
    issuer: undefined,
    database: undefined,
    reason: "left the company",
    by: "ops@test",
    until: undefined,
    ...more,
  });
const giveBack = (id: string) =>
  lift((sql, values) => store.query(sql, values), { id, by: "ops@test", reason: "came back" });

const token = (claims: Record<string, unknown>) => issuer.sign({ org: { id: 1 }, groups: [], ...claims });

/** A second, and what a busy machine takes. */
const soon = { timeout: 5_000 };

/** Resolves when nobody of the name gets in any more, at either instance. */
async function refusedAt(proxy: RunningProxy, user: string, password = userPassword): Promise<Error> {
  let refusal: Error | undefined;
  await expect
    .poll(async () => {
      refusal = await proxy.connect(user, { password }).then(
        async (client) => {
          await client.end();
          return undefined;
        },
        (error: Error) => error,
      );
      return refusal;
    }, soon)
    .toBeDefined();
  return refusal!;
}

test("a name: sessions of all instances end, and it gets in nowhere, until it is given back", async () => {
  const sessions = await Promise.all(proxies.map((proxy) => connectRaw(proxy.client("alice"))));
  const others = await Promise.all(proxies.map((proxy) => proxy.connect("bob")));
  const ends = sessions.map((session) => session.untilClosed([]));
  const id = await take({ kind: "name", value: "alice" });
  for (const lines of await Promise.all(ends)) {
    expect(kinds(lines)).toEqual(["ErrorResponse"]);
    expect(lines[0]).toContain("FATAL");
    expect(lines[0]).toContain("57P01");
    expect(lines[0]).toContain("was revoked: left the company");
  }
  for (const proxy of proxies) {
    await expect(proxy.connect("alice")).rejects.toMatchObject({
      code: "28000",
      message: 'access of "alice" was revoked: left the company',
    });
    // Who cannot prove the name is told nothing of it.
    await expect(proxy.connect("alice", { password: "wrong" })).rejects.toMatchObject({ code: "28P01" });
    const record = await proxy.record();
    const about = { id, kind: "name", value: "alice", by: "ops@test", reason: "left the company" };
    expect(record).toContainEqual(expect.objectContaining({ event: "revocation", ...about }));
    expect(record).toContainEqual(
      expect.objectContaining({
        event: "session end",
        identity: "alice",
        reason: 'access of "alice" was revoked: left the company',
      }),
    );
    expect(record).toContainEqual(expect.objectContaining({ event: "login failed", sqlstate: "28000" }));
  }
  for (const other of others) expect((await other.query("select 1 as one")).rows).toEqual([{ one: 1 }]);

  await giveBack(id);
  for (const proxy of proxies) {
    await expect
      .poll(
        () =>
          proxy.connect("alice").then(
            () => "in",
            () => "out",
          ),
        soon,
      )
      .toBe("in");
    const about = { id, by: "ops@test", reason: "came back" };
    expect(await proxy.record()).toContainEqual(
      expect.objectContaining({ event: "revocation lifted", ...about }),
    );
  }
});

test("names are values, whatever they hold", async () => {
  const [first] = proxies as [RunningProxy];
  const id = await take({ kind: "name", value: quoted, reason: `it's "over"; --` });
  const refusal = await refusedAt(first, quoted);
  expect(refusal).toMatchObject({ code: "28000" });
  expect(refusal.message).toBe(`access of "${quoted}" was revoked: it's "over"; --`);
  const other = await first.connect(`${quoted}x`);
  expect((await other.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  await giveBack(id);
});

test("one that ends by itself holds until then", async () => {
  const [first] = proxies as [RunningProxy];
  await take({ kind: "name", value: "carol", until: Date.now() + 2_500 });
  await refusedAt(first, "carol");
  await expect
    .poll(
      () =>
        first.connect("carol").then(
          () => "in",
          () => "out",
        ),
      soon,
    )
    .toBe("in");
});

describe("tokens", () => {
  test("by jti, by digest, by key, and one that does not name its key", async () => {
    const [first] = proxies as [RunningProxy];
    const [one, two] = [await token({ jti: "one" }), await token({ jti: "two" })];
    const login = (password: string) => first.connect("sam@example.com", { password });
    const session = await connectRaw(first.client("sam@example.com", { password: one }));
    const spared = await login(two);
    const ended = session.untilClosed([]);
    const byId = await take({ kind: "token", value: "one", issuer: issuerName });
    expect((await ended)[0]).toContain("the token was revoked: left the company");
    await expect(login(one)).rejects.toMatchObject({ code: "28000" });
    expect((await spared.query("select 1 as one")).rows).toEqual([{ one: 1 }]);

    const byKey = await take({ kind: "key", value: "one", issuer: issuerName });
    await expect
      .poll(
        () =>
          login(two).then(
            () => "in",
            (error: Error) => error.message,
          ),
        soon,
      )
      .toContain("the key that signed the token was revoked");
    await expect(spared.query("select 1")).rejects.toThrow(/revoked|terminated|ended|closed|queryable/);
    // Whoever stole the key signs without its name; the only key of the set fits all the same.
    await expect(login(await issuer.sign({ jti: "three" }, 60, {}))).rejects.toMatchObject({ code: "28000" });
    await giveBack(byKey);
    await giveBack(byId);
    await expect
      .poll(
        () =>
          login(one).then(
            () => "in",
            () => "out",
          ),
        soon,
      )
      .toBe("in");
  });
});

describe("roles", () => {
  test("sessions in it end, nobody takes it at login or by SET ROLE, and other roles stay open", async () => {
    const [first] = proxies as [RunningProxy];
    const inTwo = await first.connect("revoke_two", { user: "bob" });
    await inTwo.query("set role revoke_two");
    const inOne = await first.connect("bob");
    const ended = new Promise((resolve) => inTwo.once("end", resolve));
    const elsewhere = await take({ kind: "role", value: "revoke_two", database: "another" });
    const id = await take({ kind: "role", value: "revoke_two", database: database.name });
    await ended;
    await expect(inOne.query("set role revoke_two")).rejects.toMatchObject({
      code: "28000",
      message: 'the role "revoke_two" was revoked: left the company',
    });
    expect((await inOne.query("show rolegate.role")).rows).toEqual([{ "rolegate.role": "revoke_one" }]);
    await giveBack(id);
    await expect
      .poll(
        () =>
          inOne.query("set role revoke_two").then(
            () => "in",
            () => "out",
          ),
        soon,
      )
      .toBe("in");
    await giveBack(elsewhere);
  });
});

describe("whatever a session is at, it ends", () => {
  const states: Record<string, (raw: Awaited<ReturnType<typeof connectRaw>>) => Promise<unknown> | void> = {
    "a statement that runs": (raw) => void raw.socket.write(say.query("select pg_sleep(60)")),
    "a transaction that is idle": (raw) => raw.ask([say.query("begin; insert into t values (1)")]),
    "a pipeline under way": (raw) =>
      void raw.socket.write(
        Buffer.concat([
          ...extended("insert into t values (2)"),
          ...extended("select pg_sleep(60)"),
          ...extended("insert into t values (3)"),
          say.sync,
        ]),
      ),
    "a COPY under way": (raw) =>
      raw.askUntil([say.query("copy t from stdin"), say.copyData("4\n")], "CopyInResponse"),
    "a session that listens": (raw) => raw.ask([say.query("listen news")]),
  };

  test.each(Object.keys(states))("%s", async (state) => {
    const [first] = proxies as [RunningProxy];
    const raw = await connectRaw(first.client("dave"));
    await states[state]!(raw);
    await sleep(200);
    const closed = raw.untilClosed([]);
    const begun = performance.now();
    const id = await take({ kind: "name", value: "dave" });
    expect((await closed).at(-1)).toContain("57P01");
    expect(performance.now() - begun).toBeLessThan(5_000);
    // Cancelled and rolled back: nothing of it goes on for nobody.
    await expect
      .poll(async () => {
        const { rows } = await database.query(
          "select count(*)::int as n from pg_stat_activity where datname = current_database() and query like '%pg_sleep(60)%' and state = 'active' and pid <> pg_backend_pid()",
        );
        return rows as unknown;
      }, soon)
      .toEqual([{ n: 0 }]);
    expect((await database.query("select from t")).rowCount).toBe(0);
    await giveBack(id);
    await expect
      .poll(
        () =>
          first.connect("dave").then(
            () => "in",
            () => "out",
          ),
        soon,
      )
      .toBe("in");
  });

  test("a revoked user who comes again and again takes no connection of the database", async () => {
    const [first] = proxies as [RunningProxy];
    const id = await take({ kind: "name", value: "mallory" });
    await refusedAt(first, "mallory");
    const witness = await first.connect("bob");
    const tries = await Promise.all(
      Array.from({ length: 100 }, () => first.connect("mallory").catch((error: Error) => error)),
    );
    expect(new Set(tries.map((error) => (error as { code?: string }).code))).toEqual(new Set(["28000"]));
    expect((await witness.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    await giveBack(id);
  });
});

test("notifications with rubbish in them change nothing", async () => {
  const [first] = proxies as [RunningProxy];
  const client = await first.connect("bob");
  for (const payload of ["", "bob", '{"kind":"name","value":"bob"}', "x".repeat(7_000), "\u0007'; --"])
    await shared.database.query("select pg_notify('rolegate_revocations', $1)", [payload]);
  await sleep(300);
  expect((await client.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
});

test("a change that nobody was notified of is found within two seconds", async () => {
  const [first] = proxies as [RunningProxy];
  await shared.database.query("alter table rolegate.revocations disable trigger revocations_changed");
  const client = await first.connect("bob");
  const ended = new Promise((resolve) => client.once("end", resolve));
  const begun = performance.now();
  const id = await take({ kind: "name", value: "bob" });
  await shared.database.query("update rolegate.versions set version = version + 1");
  await ended;
  expect(performance.now() - begun).toBeLessThan(5_000);
  await shared.database.query("alter table rolegate.revocations enable trigger revocations_changed");
  await giveBack(id);
});

test("one that vanishes from the store stays in force", async () => {
  const [first] = proxies as [RunningProxy];
  const id = await take({ kind: "name", value: "erin" });
  await refusedAt(first, "erin");
  await shared.database.query("delete from rolegate.revocations where id = $1", [id]);
  await sleep(1_200);
  await expect(first.connect("erin")).rejects.toMatchObject({ code: "28000" });
  // A replica that took over counts on from where it was.
  await shared.database.query(
    `insert into rolegate.revocations (id, kind, value, reason, made_by) overriding system value
     values ($1, 'name', 'somebody else', 'because', 'operator')`,
    [id],
  );
  await sleep(1_200);
  await expect(first.connect("erin")).rejects.toMatchObject({ code: "28000" });
  expect(await first.record()).toContainEqual(
    expect.objectContaining({ event: "revocation", value: "somebody else" }),
  );
});

test("by command: who did it is the account and host, and it can be listed and given back", async () => {
  const [first] = proxies as [RunningProxy];
  const main = join(import.meta.dirname, "../../src/cli/main.ts");
  const rolegate = (...words: string[]) =>
    promisify(execFile)(process.execPath, [main, ...words, "-c", join(first.directory, "rolegate.yaml")]);
  const session = await first.connect("carol");
  const ended = new Promise((resolve) => session.once("end", resolve));
  await expect(rolegate("revoke", "carol")).rejects.toMatchObject({ code: 2 });
  await rolegate("revoke", "carol", "--reason", "lost laptop", "--dry-run");
  const { stdout } = await rolegate("revoke", "carol", "--reason", "lost laptop");
  const [, id = ""] = /^revoked name carol \(id (\d+)\)\n$/.exec(stdout) ?? [];
  await ended;
  const listed = await rolegate("revoke", "--list", "--json");
  const rows = listed.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(rows.filter((row) => row["id"] === id)).toMatchObject([
    { kind: "name", value: "carol", reason: "lost laptop" },
  ]);
  expect(rows.at(-1)!["by"]).toMatch(/.@./);
  await expect(rolegate("revoke", "--lift", "999999", "--reason", "x")).rejects.toMatchObject({ code: 1 });
  await rolegate("revoke", "--lift", id, "--reason", "found");
  await expect
    .poll(
      () =>
        first.connect("carol").then(
          () => "in",
          () => "out",
        ),
      soon,
    )
    .toBe("in");
});
