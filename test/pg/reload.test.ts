import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { reloadOnChange } from "../../src/cli/reload.ts";
import { createLogger } from "../../src/log.ts";
import { makeVerifier } from "../../src/scram/verifier.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { connectRaw, kinds, say } from "./raw-connection.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";

let database: TestDatabase;
let proxy: RunningProxy;
let stop: () => void;
const said: { readonly msg: string; readonly problems?: string[] }[] = [];

const select = (columns: string[]) => ({
  tables: { t: { select: { columns } } },
  functions: { allow: ["pg_sleep"] },
});

const grants = (role: string) => `grant select on t to ${role}`;

beforeAll(async () => {
  database = await createTestDatabase({
    sql: "create table t (id int, secret text); insert into t values (1, 's')",
  });
  proxy = await startTestProxy({
    database,
    roles: {
      reload_one: { file: select(["id", "secret"]), grants: grants("reload_one") },
      reload_two: { file: select(["id"]), grants: grants("reload_two") },
    },
    users: { alice: { tenant: 1 }, bob: { tenant: 1 } },
  });
  const log = createLogger("info", { write: (line) => said.push(JSON.parse(line) as (typeof said)[number]) });
  stop = reloadOnChange(proxy.proxy, file(), { env: {}, log, roles: join(proxy.directory, "roles") });
});
afterAll(async () => {
  stop?.();
  await proxy?.close();
  await database?.close();
});

const file = () => join(proxy.directory, "rolegate.yaml");
const roleFile = (role: string) => join(proxy.directory, "roles", `${role}.yaml`);
const soon = { timeout: 5_000, interval: 20 };

type Configuration = {
  access: { role: string; database: string; when: string }[];
  identities: { users: Record<string, { attributes: object }> }[];
  limits?: object;
};

let texts: ReadonlyMap<string, string>;
beforeAll(() => {
  texts = new Map(
    [file(), roleFile("reload_one"), roleFile("reload_two")].map((one) => [one, readFileSync(one, "utf8")]),
  );
});
afterEach(async () => {
  await settled(() => {
    for (const [one, text] of texts) writeFileSync(one, text);
  });
});

/** Changes files, and waits until the proxy has said what it makes of them. */
async function settled(change: () => void): Promise<(typeof said)[number]> {
  const before = said.length;
  change();
  await expect.poll(() => said.length, soon).toBeGreaterThan(before);
  return said.at(-1)!;
}

function edit(change: (configuration: Configuration) => void): void {
  const configuration = parse(readFileSync(file(), "utf8")) as Configuration;
  change(configuration);
  writeFileSync(file(), stringify(configuration, { aliasDuplicateObjects: false }));
}

const fine = "the configuration was read again";

test("a changed mapping ends who may no longer have the role, and nobody else", async () => {
  const alice = await connectRaw(proxy.client("alice"));
  const bob = await proxy.connect("bob");
  const closed = alice.untilClosed([]);
  await settled(() =>
    edit(({ access }) => {
      access[0]!.when = 'identity.name == "bob"';
    }),
  );
  const lines = await closed;
  expect(kinds(lines)).toEqual(["ErrorResponse"]);
  expect(lines[0]).toContain("57P01");
  expect(lines[0]).toContain("may no longer take the role");
  expect((await bob.query("select secret from t")).rows).toEqual([{ secret: "s" }]);
  // By its own name she gets the next role that is hers.
  const again = await proxy.connect("alice");
  expect((await again.query("show rolegate.role")).rows).toEqual([{ "rolegate.role": "reload_two" }]);
  await expect(again.query("set role reload_one")).rejects.toMatchObject({ code: "42501" });
});

test("a session's list of roles is not that of its login", async () => {
  const alice = await proxy.connect("reload_two", { user: "alice" });
  await alice.query("set role reload_two");
  await settled(() =>
    edit(({ access }) => {
      access[0]!.when = "false";
    }),
  );
  await expect(alice.query("set role reload_one")).rejects.toMatchObject({ code: "42501" });
});

test("a removed user, and one whose attributes have changed", async () => {
  const alice = await connectRaw(proxy.client("alice"));
  const bob = await connectRaw(proxy.client("bob"));
  const closed = [alice.untilClosed([]), bob.untilClosed([])];
  await settled(() =>
    edit(({ identities }) => {
      const { users } = identities[0]!;
      delete users["alice"];
      users["bob"]!.attributes = { tenant: 2 };
    }),
  );
  const [first, second] = await Promise.all(closed);
  expect(first![0]).toContain("was removed");
  expect(second![0]).toContain("have changed");
  await expect(proxy.connect("alice")).rejects.toMatchObject({ code: "28P01" });
  await (await proxy.connect("bob")).end();
});

test("a removed role", async () => {
  const alice = await connectRaw(proxy.client("alice"));
  const closed = alice.untilClosed([]);
  await settled(() => {
    rmSync(roleFile("reload_one"));
    edit((configuration) => {
      configuration.access = configuration.access.filter(({ role }) => role !== "reload_one");
    });
  });
  expect((await closed)[0]).toContain("was removed");
});

test("changed rules: what runs is done, nothing more is judged by the old ones, and no verdict outlives them", async () => {
  const text = "select secret from t";
  const busy = await connectRaw(proxy.client("alice"));
  const other = await proxy.connect("bob");
  await other.query(text);
  busy.socket.write(say.query("select pg_sleep(2)"));
  await sleep(100);
  const closed = busy.untilClosed([]);
  const ended = new Promise((resolve) => other.once("end", resolve));
  const narrower = { role: "reload_one", database: database.name, ...select(["id"]) };
  await settled(() => writeFileSync(roleFile("reload_one"), stringify(narrower)));
  busy.socket.write(say.query(text));
  expect(kinds(await closed)).toEqual([
    "RowDescription",
    "DataRow",
    "CommandComplete",
    "ReadyForQuery I",
    "ErrorResponse",
  ]);
  await ended;
  const anew = await proxy.connect("bob");
  await expect(anew.query(text)).rejects.toMatchObject({ code: "42703" });
});

test("a configuration with problems changes nothing, and is named with file and line", async () => {
  const alice = await proxy.connect("alice");
  const { msg, problems } = await settled(() =>
    writeFileSync(roleFile("reload_one"), "role: reload_one\ntabels: {}\n"),
  );
  expect(msg).toBe("the configuration has problems; it stays as it was");
  expect(problems!.join("\n")).toMatch(/reload_one\.yaml:2: tabels: unknown key/);
  expect((await alice.query("select secret from t")).rows).toEqual([{ secret: "s" }]);
  await (await proxy.connect("bob")).end();
});

test("what is written while it is read is not put in force in between", async () => {
  const role = roleFile("reload_two");
  const whole = readFileSync(role, "utf8");
  const verifier = await makeVerifier("password", { salt: Buffer.from("salt-of-the-tests") });
  const [reloads, lines]: [number[], string[]] = [[], []];
  // The environment is asked in the midst of the reading, and again each time.
  const env = {
    get NEW_PASSWORD() {
      if (reloads.length === 0 && lines.length === 0) writeFileSync(role, `${whole}# not yet\n`);
      return verifier;
    },
  } as NodeJS.ProcessEnv;
  const end = reloadOnChange(
    { reload: (config) => Promise.resolve([]).finally(() => reloads.push(config.access.length)) },
    file(),
    { env, log: createLogger("info", { write: (line) => lines.push(line) }), roles: dirname(role) },
  );
  try {
    edit(({ identities }) => {
      Object.assign(identities[0]!.users["bob"]!, { verifier: { env: "NEW_PASSWORD" } });
    });
    await expect.poll(() => lines.length, soon).toBeGreaterThan(1);
    expect(lines[0]).toContain("changed while it was read");
    expect(lines[1]).toContain(fine);
    expect(reloads).toHaveLength(1);
  } finally {
    end();
  }
});

test("what cannot change while it runs is named, and the rest holds", async () => {
  const alice = await proxy.connect("alice");
  await settled(() =>
    edit((configuration) => {
      configuration.limits = { maxConnections: 7 };
    }),
  );
  expect(said.slice(-2)).toMatchObject([{ settings: ["limits"] }, { msg: fine }]);
  expect((await alice.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
});
