import { readFileSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { makeVerifier } from "../../src/scram/verifier.ts";
import { startRelay, type CutRelay } from "./cut-relay.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { startTestProxy, userPassword, type RunningProxy } from "./running-proxy.ts";
import { createTestStore, type TestStore } from "./store-database.ts";
import { createTokenIssuer, type TokenIssuer } from "./token-issuer.ts";

let database: TestDatabase;
let store: TestStore;
let relay: CutRelay;
let issuer: TokenIssuer;

beforeAll(async () => {
  database = await createTestDatabase({ sql: "create table t (id int)" });
  store = await createTestStore();
  relay = await startRelay(database);
  issuer = await createTokenIssuer();
});
afterAll(async () => {
  await relay?.close();
  await store?.close();
  await database?.close();
});
afterEach(() => relay.restore());

const leads = '"leads" in identity.groups';

/** A proxy that knows alice, bob and carol by password and by token, from behind the relay. */
async function start(terms: object, more: object = {}): Promise<RunningProxy> {
  const file = { tables: { t: { select: "all" } } };
  const entry = (role: string, terms: object = {}) => ({
    role,
    database: database.name,
    when: "true",
    ...terms,
  });
  return startTestProxy({
    database,
    roles: { kept_reader: { file }, kept_admin: { file } },
    users: { alice: { groups: ["leads"] }, bob: { groups: ["leads"] }, carol: { groups: [] } },
    access: [entry("kept_admin", { request: { maxDuration: "1h", approvers: leads } }), entry("kept_reader")],
    more: { store: { ...store.setting, url: store.url(relay.port), ...terms }, ...more },
  });
}

async function ask(client: Client, time = "1h"): Promise<string> {
  const { rows } = await client.query(
    `REQUEST ROLE kept_admin ON ${database.name} FOR '${time}' REASON 'why'`,
  );
  return (rows as { id: string }[])[0]!.id;
}

const own = { database: "rolegate" };
const verifier = makeVerifier(userPassword, { salt: Buffer.from("salt-of-the-tests") });

/** Another way to be local, by which the rules of authentication tell connections apart. */
const fromOtherAddress = {
  stream: () => {
    const socket = new Socket();
    const connect = socket.connect.bind(socket);
    socket.connect = ((port: number, host: string) =>
      connect({ port, host, localAddress: "127.0.0.2" })) as typeof connect;
    return socket;
  },
};

test("without the store nothing is asked or decided, and with it again everything is as it was", async () => {
  const proxy = await start({ whenDown: "continue" });
  const [alice, bob] = [await proxy.connect("alice", own), await proxy.connect("bob", own)];
  const id = await ask(alice);
  await relay.cut();
  await sleep(200);
  for (const [client, text] of [
    [alice, `REQUEST ROLE kept_admin ON ${database.name} FOR '1h' REASON 'why'`],
    [alice, "SHOW REQUESTS"],
    [bob, `APPROVE ${id}`],
  ] as const)
    await expect(client.query(text)).rejects.toMatchObject({ code: "08006" });
  expect((await alice.query("SHOW IDENTITY")).rows).toHaveLength(1);
  await relay.restore();
  await expect
    .poll(() => bob.query(`APPROVE ${id}`).then(() => "done", String), { timeout: 5000 })
    .toBe("done");
  const { rows } = await store.database.query(
    `select kind, name from rolegate.request_decisions where request = ${id}`,
  );
  expect(rows).toEqual([{ kind: "approve", name: "bob" }]);
  await alice.query(`WITHDRAW ${id}`);
  await proxy.close();
});

test("with whenDown continue a grant that is known holds while the store is away, and ends with its time", async () => {
  const proxy = await start({ whenDown: "continue" });
  const [alice, bob] = [await proxy.connect("alice", own), await proxy.connect("bob", own)];
  const id = await ask(alice, "4s");
  await bob.query(`APPROVE ${id}`);
  await relay.cut();
  const session = await proxy.connect("alice");
  await session.query("set role kept_admin");
  expect((await session.query("select current_user::text as role")).rows).toEqual([{ role: "kept_admin" }]);
  await expect
    .poll(() => session.query("select 1").then(() => "there", String), { timeout: 8000 })
    .not.toBe("there");
  const later = await proxy.connect("alice");
  await expect(later.query("set role kept_admin")).rejects.toMatchObject({ code: "42501" });
  await proxy.close();
});

test("with whenDown refuse nobody takes a role while the store is away, whatever is known to be granted", async () => {
  const proxy = await start({ whenDown: "refuse", grace: "30s" });
  const [alice, bob] = [await proxy.connect("alice", own), await proxy.connect("bob", own)];
  const id = await ask(alice);
  await bob.query(`APPROVE ${id}`);
  const session = await proxy.connect("alice");
  await session.query("set role kept_admin");
  await session.query("reset role");
  await relay.cut();
  await sleep(300);
  await expect(session.query("set role kept_admin")).rejects.toMatchObject({ code: "08006" });
  await relay.restore();
  await expect
    .poll(() => session.query("set role kept_admin").then(() => "taken", String), { timeout: 8000 })
    .toBe("taken");
  await proxy.close();
});

test("the same name from a token is another's, where something is granted, and the same where two are needed", async () => {
  const users = ["alice", "bob"].map(
    async (name) => [name, { verifier: await verifier, attributes: { groups: ["leads"] } }] as const,
  );
  const tokens = await start(
    {},
    {
      authentication: [{ address: ["127.0.0.2"], method: "jwt" }, { method: "password" }],
      identities: [
        { type: "password", users: Object.fromEntries(await Promise.all(users)) },
        issuer.entry({ allowPlaintextOnLoopback: true }),
      ],
    },
  );
  const byToken = async (name: string, more: object) => {
    const client = new Client({
      ...tokens.client(name, { password: await issuer.sign({ email: name, groups: ["leads"] }), ...more }),
      ...fromOtherAddress,
    });
    client.on("error", () => {});
    await client.connect();
    return client;
  };
  const alice = await tokens.connect("alice", own);
  const id = await ask(alice);
  const twin = await byToken("alice", own);
  const { rows } = await twin.query("SHOW IDENTITY");
  expect(rows).toMatchObject([{ name: "alice", method: "jwt", origin: "token https://id.test" }]);
  await expect(twin.query(`APPROVE ${id}`)).rejects.toMatchObject({
    code: "42501",
    message: "nobody approves a request of their own",
  });
  await expect(twin.query(`WITHDRAW ${id}`)).rejects.toMatchObject({ code: "42704" });
  // The token is alice's, whatever name the client gives.
  await expect(byToken("alice", { ...own, user: "bob" })).rejects.toMatchObject({ code: "28000" });
  const bob = await byToken("bob", own);
  const seen = [await alice.query("SHOW REQUESTS"), await bob.query("SHOW REQUESTS")];
  for (const { rows: requests } of seen)
    expect(requests).toContainEqual(expect.objectContaining({ id, requester: "alice", origin: "password" }));
  await bob.query(`APPROVE ${id}`);
  const [granted, other] = [await tokens.connect("alice"), await byToken("alice", {})];
  await granted.query("set role kept_admin");
  await expect(other.query("set role kept_admin")).rejects.toMatchObject({ code: "42501" });
  await Promise.all([twin, bob, other].map((client) => client.end()));
  await tokens.close();
});

test("an entry that says something else after a reload takes back what was granted under it", async () => {
  const proxy = await start({});
  const [alice, bob] = [await proxy.connect("alice", own), await proxy.connect("bob", own)];
  const [granted, pending] = [await ask(alice), await ask(alice)];
  await bob.query(`APPROVE ${granted}`);
  const session = await proxy.connect("alice");
  await session.query("set role kept_admin");
  const file = join(proxy.directory, "rolegate.yaml");
  writeFileSync(file, readFileSync(file, "utf8").replace("maxDuration: 1h", "maxDuration: 2h"));
  const loaded = loadConfig(file, {});
  if (loaded.kind === "refused") throw new Error(JSON.stringify(loaded.problems));
  await proxy.proxy.reload(loaded.config);
  await expect
    .poll(() => session.query("select 1").then(() => "there", String), { timeout: 3000 })
    .not.toBe("there");
  await expect(bob.query(`APPROVE ${pending}`)).rejects.toMatchObject({ code: "42704" });
  const later = await proxy.connect("alice");
  await expect(later.query("set role kept_admin")).rejects.toMatchObject({ code: "42501" });
  for (const id of [granted, pending]) await alice.query(`WITHDRAW ${id}`);
  await proxy.close();
});
