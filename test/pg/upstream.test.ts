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
