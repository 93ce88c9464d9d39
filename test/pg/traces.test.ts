import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { trace } from "../../src/wire/trace.ts";
import {
  createTestDatabase,
  describeServers,
  loginPassword,
  type TestDatabase,
} from "./embedded-database.ts";
import { tableUnder } from "../unit/markdown-table.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";
import { differences, everywhere, expectedOf, withoutRoutine } from "./trace-differences.ts";
import { openTraced, type Traced, type Way } from "./traced-connection.ts";
import { encode, readScripts, type Script } from "./trace-script.ts";

// The same bytes to PostgreSQL and to rolegate, with a role that may do everything: the answers are the same, message
// by message and byte by byte, except for what trace-differences.ts names.

const role = "trace_tester";

const schema = `create table t (id int primary key, note text);
  create table late (id int references t deferrable initially deferred)`;

const rows = "insert into t values (1, 'one'), (2, 'two'), (3, 'three')";

const everything = { select: "all", insert: "all", update: "all", delete: "all" };

/** How the bytes of a script are sent. */
const ways = {
  "as written": { waits: true, cut: undefined },
  "in one write": { waits: false, cut: undefined },
  "byte by byte": { waits: false, cut: 1 },
} as const satisfies Record<string, Way>;

const scripts = readScripts();

test("docs/protocol.md says of each difference why, and a script shows it", () => {
  const page = join(import.meta.dirname, "../../docs/protocol.md");
  const named = tableUnder(page, "### Answers that differ").map(([name]) => name);
  expect(new Set(named)).toEqual(new Set([...Object.keys(differences), ...everywhere]));
  const shown = new Set(scripts.flatMap(({ differs }) => differs));
  expect(Object.keys(differences).filter((name) => !shown.has(name))).toEqual([]);
});

test("scripts are written as traces are", () => {
  const sent = scripts.flatMap(({ steps }) =>
    steps.flatMap((step) => (step.kind === "send" ? [step.bytes] : [])),
  );
  const lines = sent.map((bytes) => trace(bytes, "client").join());
  const again = lines.map((line, index) =>
    /^Password|malformed|incomplete|unknown|\ufffd/.test(line) ? sent[index]! : encode(line),
  );
  expect(again.map((bytes) => bytes.toString("hex"))).toEqual(sent.map((bytes) => bytes.toString("hex")));
});

describeServers((server, major) => {
  let database: TestDatabase;
  let proxy: RunningProxy;
  let through: Traced;
  let direct: Traced;

  beforeAll(async () => {
    database = await createTestDatabase({ sql: schema, server });
    const file = {
      tables: { "public.*": everything },
      definitions: { "public.*": ["create", "alter", "drop", "truncate", "index"] },
      functions: { allow: ["pg_sleep"] },
      session: { temporary_tables: true, listen: ["*"], notify: ["*"] },
    };
    const grants = `grant all on all tables in schema public to ${role}; grant create, usage on schema public to ${role}`;
    proxy = await startTestProxy({ database, roles: { [role]: { file, grants } }, users: { alice: {} } });
    const login = { user: `rolegate_${role}`, password: loginPassword, options: `-c role=${role}` };
    through = await openTraced(proxy.client("alice"));
    direct = await openTraced({ ...server, database: database.name, ...login });
  });
  afterAll(async () => {
    through?.close();
    direct?.close();
    await proxy?.close();
    await database?.close();
  });

  /** The answers to a script, from the same rows in the tables. */
  async function answers(connection: Traced, script: Script, way: keyof typeof ways): Promise<string[]> {
    await database.query(`set synchronous_commit to off; delete from late; delete from t; ${rows}`);
    return connection.run(script, ways[way]);
  }

  // How bytes are cut is nothing that a server's version changes.
  const used = (Object.keys(ways) as (keyof typeof ways)[]).filter(
    (way) => major === 18 || ways[way].cut === undefined,
  );

  describe.for(used)("%s", (way) => {
    test.for(scripts.map((script) => [`${script.file}: ${script.name}`, script] as const))(
      "%s",
      async ([, script]) => {
        // What happens at a time of its own needs the pauses.
        if (!ways[way].waits && script.steps.some(({ kind }) => kind === "other" || kind === "cancel"))
          return;
        const told = await answers(direct, script, way);
        const got = await answers(through, script, way);
        expect(got.map(withoutRoutine)).toEqual(expectedOf(script, told));
      },
    );
  });
});
