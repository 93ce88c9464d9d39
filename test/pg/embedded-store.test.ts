import { execFile } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { userPassword, writeProxyFiles } from "./running-proxy.ts";
import { serve, type ServedProxy } from "./served-proxy.ts";

let database: TestDatabase;
let directory: string;
const started: ServedProxy[] = [];
const main = join(import.meta.dirname, "../../src/cli/main.ts");
const rolegate = (...words: string[]) =>
  promisify(execFile)(process.execPath, [main, ...words, "-c", join(directory, "rolegate.yaml")]);

beforeAll(async () => {
  database = await createTestDatabase({ sql: "create table t (id int)" });
  directory = await writeProxyFiles({
    database,
    roles: { stored_tester: { file: { tables: { t: { select: "all" } } } } },
    users: { alice: {} },
    more: { store: {} },
  });
  // The server runs as another account where the tests run as root.
  chmodSync(directory, 0o711);
});
afterEach(async () => {
  for (const { process: child } of started.splice(0)) await end(child, "SIGKILL");
});
afterAll(async () => {
  await database?.close();
  rmSync(directory, { recursive: true });
});

async function end(child: ServedProxy["process"], signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
}

async function start(): Promise<ServedProxy> {
  const served = await serve(directory);
  started.push(served);
  return served;
}

const store = () => join(directory, "var/store");

const pid = () => Number(readFileSync(join(store(), "data/postmaster.pid"), "utf8").split("\n")[0]);

async function logIn({ port }: ServedProxy): Promise<string> {
  const client = new Client({
    host: "127.0.0.1",
    port,
    user: "alice",
    password: userPassword,
    database: database.name,
  });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.end();
    return "in";
  } catch (error) {
    return (error as { code: string }).code;
  }
}

test("what was revoked outlives restarts and kills, and the commands find the store", async () => {
  await expect(rolegate("revoke", "alice", "--reason", "x")).rejects.toMatchObject({
    stderr: expect.stringContaining("runs only while rolegate serve does") as string,
  });
  const first = await start();
  expect(statSync(join(store(), "connection.json")).mode & 0o777).toBe(0o600);
  expect(await logIn(first)).toBe("in");
  await rolegate("revoke", "alice", "--reason", "lost laptop");
  await expect.poll(() => logIn(first)).toBe("28000");
  await end(first.process, "SIGTERM");

  const second = await start();
  expect(await logIn(second)).toBe("28000");
  // Killed as hard as can be, and the next comes at once: nothing is lost, and nobody waits for a person.
  await end(second.process, "SIGKILL");
  const third = await start();
  expect(await logIn(third)).toBe("28000");
  expect(await rolegate("revoke", "--lift", "1", "--reason", "found")).toMatchObject({
    stdout: /gave back name alice/,
  });
  await expect.poll(() => logIn(third)).toBe("in");
});

test("the server is killed: it comes back by itself, and nobody had to leave", async () => {
  const first = await start();
  const before = pid();
  process.kill(before, "SIGKILL");
  await expect.poll(pid, { timeout: 15_000 }).not.toBe(before);
  expect(await logIn(first)).toBe("in");
  // Both at once: the next start finds what a crash leaves.
  process.kill(pid(), "SIGKILL");
  await end(first.process, "SIGKILL");
  expect(await logIn(await start())).toBe("in");
});

test("a process of another program has the server's old number: it is left alone", async () => {
  const first = await start();
  const lock = join(store(), "data/postmaster.pid");
  const text = readFileSync(lock, "utf8");
  await end(first.process, "SIGTERM");
  const stranger = execFile("sleep", ["60"]);
  writeFileSync(lock, text.replace(/^\d+/, String(stranger.pid)));
  const second = await start();
  expect(await logIn(second)).toBe("in");
  expect(stranger.exitCode).toBeNull();
  stranger.kill();
});

test("two serves on one directory: the second is refused, and the first goes on", async () => {
  const first = await start();
  await expect(serve(directory)).rejects.toThrow(/belongs to another/);
  await expect(rolegate("serve")).rejects.toMatchObject({
    stderr: expect.stringContaining(
      `belongs to another rolegate serve (process ${first.process.pid})`,
    ) as string,
  });
  expect(await logIn(first)).toBe("in");
});

test("nothing that the store writes is for other accounts", async () => {
  await start();
  for (const name of ["log", "password", "connection.json", "owner.json", "data"])
    expect(`${name} ${(statSync(join(store(), name)).mode & 0o077).toString(8)}`).toBe(`${name} 0`);
});

test("the store's login is no superuser, and has its own database alone", async () => {
  await start();
  const connection = JSON.parse(readFileSync(join(store(), "connection.json"), "utf8")) as object;
  const client = new Client(connection);
  await client.connect();
  expect(
    (await client.query("select rolsuper, rolcreaterole, rolcreatedb from pg_roles where rolname = user"))
      .rows,
  ).toEqual([{ rolsuper: false, rolcreaterole: false, rolcreatedb: false }]);
  await client.end();
  const other = new Client({ ...connection, database: "postgres" });
  await expect(other.connect()).rejects.toMatchObject({ code: "42501" });
});
