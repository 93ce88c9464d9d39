import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, type ClientConfig } from "pg";
import { stringify } from "yaml";
import { loadConfig } from "../../src/config/load.ts";
import { createLogger } from "../../src/log.ts";
import { startProxy, type Proxy } from "../../src/proxy.ts";
import { makeVerifier } from "../../src/scram/verifier.ts";
import { loginPassword, type TestDatabase } from "./embedded-database.ts";

/** The password of every user of a test's proxy. */
export const userPassword = "password-of-the-tests";

export type ProxyOptions = {
  readonly database: Pick<TestDatabase, "host" | "port" | "name" | "addRole">;
  /** Role → its file, or what that says beside `role` and `database`; and what the database role is granted. */
  readonly roles: Readonly<Record<string, { readonly file: object | string; readonly grants?: string }>>;
  /** User → attributes; each may take every role unless `access` says otherwise. */
  readonly users: Readonly<Record<string, object>>;
  readonly access?: readonly object[];
  /** Laid over the configuration. */
  readonly more?: Readonly<Record<string, unknown>>;
};

export type RunningProxy = {
  readonly host: string;
  readonly port: number;
  readonly directory: string;
  readonly proxy: Proxy;
  /** How `user` connects. */
  client(user: string, more?: ClientConfig): ClientConfig;
  url(user: string): string;
  /** A connected client; closed with the proxy. */
  connect(user: string, more?: ClientConfig): Promise<Client>;
  /** The record's lines so far. */
  record(): Promise<readonly RecordLine[]>;
  /** Statements of the record, with their completion. */
  statements(): Promise<readonly RecordLine[]>;
  close(): Promise<void>;
};

export type RecordLine = { readonly event: string } & Readonly<Record<string, unknown>>;

/** Starts a proxy of its own before the database, configured by files as an operator would. */
export async function startTestProxy(options: ProxyOptions): Promise<RunningProxy> {
  const directory = await writeProxyFiles(options);
  const loaded = loadConfig(join(directory, "rolegate.yaml"), {});
  if (loaded.kind === "refused") throw new Error(JSON.stringify(loaded.problems, undefined, 2));
  const proxy = await startProxy(loaded.config, { log: createLogger("silent") });
  const opened: Client[] = [];
  const client = (user: string, more: ClientConfig = {}) => ({
    host: "127.0.0.1",
    port: proxy.port,
    user,
    password: userPassword,
    database: options.database.name,
    ...more,
  });
  const record = async () => {
    // A completion may wait for 20 ms.
    await new Promise((resolve) => setTimeout(resolve, 60));
    return readRecord(directory);
  };
  return {
    host: "127.0.0.1",
    port: proxy.port,
    directory,
    proxy,
    client,
    url: (user) => `postgres://${user}:${userPassword}@127.0.0.1:${proxy.port}/${options.database.name}`,
    connect: async (user, more) => {
      const connected = new Client(client(user, more));
      connected.on("error", () => {});
      await connected.connect();
      opened.push(connected);
      return connected;
    },
    record,
    statements: async () => joined(await record()),
    close: async () => {
      await Promise.all(opened.map((each) => each.end().catch(() => {})));
      await proxy.close(0);
      rmSync(directory, { recursive: true });
    },
  };
}

/** Writes rolegate.yaml and the role files into a fresh directory, and makes the roles in the database. */
export async function writeProxyFiles(options: ProxyOptions): Promise<string> {
  const { database, roles, users, access, more } = options;
  const directory = mkdtempSync(join(tmpdir(), "rolegate-test-"));
  mkdirSync(join(directory, "roles"));
  for (const [role, { file, grants }] of Object.entries(roles)) {
    await database.addRole(role, grants);
    writeFileSync(
      join(directory, "roles", `${role}.yaml`),
      typeof file === "string"
        ? file
        : stringify({ role, database: database.name, ...file }, { aliasDuplicateObjects: false }),
    );
  }
  const verifier = await makeVerifier(userPassword, { salt: Buffer.from("salt-of-the-tests") });
  const config = {
    listen: { address: "127.0.0.1:0" },
    databases: {
      [database.name]: {
        upstream: `postgres://${database.host}:${database.port}/${database.name}?sslmode=disable`,
        login: { user: "rolegate_{role}", password: { env: "LOGIN" } },
      },
    },
    identities: [
      {
        type: "password",
        users: Object.fromEntries(
          Object.entries(users).map(([name, attributes]) => [name, { verifier, attributes }]),
        ),
      },
    ],
    access: access ?? Object.keys(roles).map((role) => ({ role, database: database.name, when: "true" })),
    audit: { directory: "audit" },
    roles: "roles/",
    ...more,
  };
  writeFileSync(join(directory, "login"), loginPassword);
  const text = stringify(config, { aliasDuplicateObjects: false }).replace("env: LOGIN", "file: login");
  writeFileSync(join(directory, "rolegate.yaml"), text);
  return directory;
}

/** The lines of the record in a proxy's directory. */
export function readRecord(directory: string): RecordLine[] {
  const audit = join(directory, "audit");
  return readdirSync(audit)
    .toSorted()
    .flatMap((file) => readFileSync(join(audit, file), "utf8").split("\n"))
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as RecordLine);
}

function joined(lines: readonly RecordLine[]): RecordLine[] {
  const key = (line: RecordLine) => `${String(line["session"])}/${String(line["id"])}`;
  const completions = new Map(
    lines.filter((line) => line.event === "completion").map((line) => [key(line), line]),
  );
  return lines
    .filter((line) => line.event === "statement")
    .map((line) => {
      const completion: Partial<RecordLine> = completions.get(key(line)) ?? { skipped: "open" };
      return {
        ...line,
        rows: completion["rows"],
        sqlstate: completion["sqlstate"],
        skipped: completion["skipped"],
      };
    });
}
