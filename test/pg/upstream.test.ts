import { once } from "node:events";
import type { Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectUpstream } from "../../src/upstream/connect.ts";
import type { UpstreamTarget } from "../../src/config/config.ts";
import { query } from "../../src/wire/frontend-rewrite.ts";
import { trace } from "../../src/wire/trace.ts";
import { createTestDatabase, loginPassword, type TestDatabase } from "./embedded-database.ts";

let database: TestDatabase;
let target: UpstreamTarget;
beforeAll(async () => {
  database = await createTestDatabase({ template: "shop" });
  await database.addRole("upstream_reader", "grant select (id, name) on customers to upstream_reader");
  target = { host: database.host, port: database.port, database: database.name, tls: undefined };
});
afterAll(() => database.close());

const login = { user: "rolegate_upstream_reader", password: loginPassword };
const session = (settings: Record<string, string> = {}) => ({
  role: "upstream_reader",
  settings: new Map(Object.entries(settings)),
  applicationName: "a client's own name",
});

/** The bytes from the server up to and with the next ReadyForQuery, as trace lines. */
async function answer(socket: Socket): Promise<string[]> {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = (socket.read() as Buffer | null) ?? undefined;
    if (chunk !== undefined) chunks.push(chunk);
    const lines = trace(Buffer.concat(chunks), "server");
    if (lines.at(-1)?.includes("ReadyForQuery") === true) return lines;
    await once(socket, "readable");
  }
}

test("the socket answers queries with the role, the settings and the name in force", async () => {
  const settings = { "rolegate.identity": "a b\\c  d", search_path: "public, pg_catalog" };
  const connection = await connectUpstream(target, login, session(settings), 5_000);
  expect(connection.parameters.get("server_encoding")).toBe("UTF8");
  expect(connection.parameters.get("application_name")).toBe("a client's own name");
  connection.socket.write(query("show rolegate.identity; select current_user; show search_path"));
  const text = (await answer(connection.socket)).join("\n");
  expect(text).toContain("a b\\\\c  d");
  expect(text).toContain("upstream_reader");
  expect(text).toContain("public, pg_catalog");
  connection.close();
  await once(connection.socket, "close");
});

test("a client's SQL_ASCII stays", async () => {
  const connection = await connectUpstream(target, login, session({ client_encoding: "SQL_ASCII" }), 5_000);
  expect(connection.parameters.get("client_encoding")).toBe("SQL_ASCII");
  connection.close();
});

test.each([0, 2] as const)(
  "cancel ends what the connection runs, and nothing that it runs later (protocol 3.%d)",
  async (minor) => {
    const connection = await connectUpstream({ ...target, minor }, login, session(), 5_000);
    connection.socket.write(query("select pg_sleep(60)"));
    // The server must have begun: a cancel before that would be for nothing.
    await expect.poll(running).toBe(1);
    await connection.cancel();
    expect(await answer(connection.socket)).toContainEqual(expect.stringContaining("57014"));
    connection.socket.write(query("select 'later'"));
    expect((await answer(connection.socket)).join("\n")).toContain("later");
    connection.close();
  },
);

async function running(): Promise<number> {
  const { rows } = await database.query(
    "select count(*)::int as running from pg_stat_activity where query like '%pg_sleep(60)%' and state = 'active' and pid <> pg_backend_pid() and datname = current_database()",
  );
  return (rows as { running: number }[])[0]!.running;
}

test("close tells the server, which ends its backend", async () => {
  const connection = await connectUpstream(target, login, session(), 5_000);
  connection.close();
  await once(connection.socket, "close");
  await expect
    .poll(async () => {
      const { rows } = await database.query(
        "select from pg_stat_activity where application_name = 'a client''s own name' and datname = current_database()",
      );
      return rows.length;
    })
    .toBe(0);
});

test("a wrong password, database, role or port is one and the same to a client", async () => {
  const attempts = [
    connectUpstream(target, { ...login, password: "wrong" }, session(), 5_000),
    connectUpstream({ ...target, database: "none" }, login, session(), 5_000),
    connectUpstream(target, login, { ...session(), role: "none_such" }, 5_000),
    connectUpstream({ ...target, port: 1 }, login, session(), 5_000),
    connectUpstream(
      target,
      { ...login, password: () => Promise.reject(new Error("no secret")) },
      session(),
      5_000,
    ),
  ];
  for (const outcome of await Promise.allSettled(attempts))
    expect(outcome).toMatchObject({
      status: "rejected",
      reason: { message: "the database is not available", problem: { code: "upstream_unavailable" } },
    });
});

test("a login that is worth something by itself is refused", async () => {
  const cases = [
    ["alter role LOGIN inherit", "inherits"],
    ["alter role LOGIN createdb", "CREATEDB"],
    ["grant pg_monitor to LOGIN", "other roles"],
    ["grant upstream_unfit to LOGIN with admin option", "may grant"],
    ["grant upstream_unfit to LOGIN with inherit true", "inherits"],
    ["create schema owned authorization LOGIN", "owns"],
    ["alter role upstream_unfit superuser", "superuser"],
  ] as const;
  for (const [sql, reason] of cases) {
    await database.query(
      `drop schema if exists owned; drop role if exists upstream_unfit, rolegate_upstream_unfit`,
    );
    await database.addRole("upstream_unfit");
    const unfit = { user: "rolegate_upstream_unfit", password: loginPassword };
    const attempt = () => connectUpstream(target, unfit, { ...session(), role: "upstream_unfit" }, 5_000);
    (await attempt()).close();
    await database.query(sql.replace("LOGIN", unfit.user));
    const error = await attempt().then(
      () => undefined,
      (error: unknown) => (error as Error).cause as Error,
    );
    expect(error?.message).toContain(reason);
  }
  await database.query(`drop schema if exists owned; drop role upstream_unfit, rolegate_upstream_unfit`);
});

test("objects in the client's search path do not answer in the server's place", async () => {
  await database.query(`
    create schema evil; grant usage on schema evil to public;
    create function evil.yes(name, name) returns boolean language sql as 'select true';
    create operator evil.= (leftarg = name, rightarg = name, function = evil.yes);
    create function evil.pg_has_role(oid, oid, text) returns boolean language sql as 'select true'`);
  const connection = await connectUpstream(
    target,
    login,
    session({ search_path: "evil, pg_catalog" }),
    5_000,
  );
  expect(connection.socket.destroyed).toBe(false);
  connection.close();
});
