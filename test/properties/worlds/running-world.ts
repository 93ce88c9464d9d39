import { createTestDatabase, type TestDatabase } from "../../pg/embedded-database.ts";
import type { TestServer } from "../../pg/global-setup.ts";
import { connectRaw, type RawConnection } from "../../pg/raw-connection.ts";
import { startTestProxy, type RunningProxy } from "../../pg/running-proxy.ts";
import { identity, type World } from "./world.ts";
import { nativeSql, roleTables, servedSql, witnessFunctions } from "./world-sql.ts";

/** The role of the generated worlds. */
const worldRole = "world_tester";

/** Owns the views of the native database. */
const viewOwner = "world_owner";

/** A world's database behind a proxy, with the role's one session. */
export type ServedWorld = AsyncDisposable & {
  readonly database: TestDatabase;
  readonly proxy: RunningProxy;
  readonly session: RawConnection;
};

/** Serves a world; the database role may do everything, so that what holds is the proxy alone. */
export async function serveWorld(world: World, server: TestServer, more = ""): Promise<ServedWorld> {
  const database = await createTestDatabase({ sql: `${servedSql(world)} ${more}`, server });
  const grants = `grant all on schema public, crm to ${worldRole}; grant all on all tables in schema public, crm to ${worldRole}`;
  const proxy = await startTestProxy({
    database,
    roles: {
      [worldRole]: {
        file: {
          tables: roleTables(world),
          functions: { allow: [...witnessFunctions] },
          session: { temporary_tables: true },
        },
        grants,
      },
    },
    users: { alice: identity },
  });
  const session = await connectRaw(proxy.client("alice"));
  return {
    database,
    proxy,
    session,
    [Symbol.asyncDispose]: async () => {
      session.close();
      await proxy.close();
      await database.close();
    },
  };
}

/** The same data under rules of the server's own, and a session of the role there. */
export async function openNativeWorld(
  world: World,
  server: TestServer,
): Promise<AsyncDisposable & { readonly session: RawConnection }> {
  const database = await createTestDatabase({ server });
  await database.addRole(worldRole);
  await database.addRole(viewOwner);
  await database.query(nativeSql(world, viewOwner, worldRole));
  const { host, port, name } = database;
  const { user, password } = server;
  const session = await connectRaw({
    host,
    port,
    database: name,
    user,
    password,
    options: `-c role=${worldRole}`,
  });
  return {
    session,
    [Symbol.asyncDispose]: async () => {
      session.close();
      await database.close();
    },
  };
}

/** What came of a statement: its rows as a multiset, its command tags and the error that ended it. */
export type Outcome = {
  readonly rows: readonly string[];
  readonly names: string;
  readonly tags: readonly string[];
  readonly error: { readonly code: string; readonly message: string } | undefined;
};

export function outcomeOf(lines: readonly string[]): Outcome {
  const of = (kind: string): string[] =>
    lines.filter((line) => line.startsWith(`${kind} `)).map((line) => line.slice(kind.length + 1));
  const error = of("ErrorResponse")[0];
  const field = (code: string): string => {
    const text = new RegExp(`(?:^| )${code}=("(?:[^"\\\\]|\\\\.)*")`).exec(error ?? "")?.[1];
    return text === undefined ? "" : (JSON.parse(text) as string);
  };
  return {
    rows: [...of("DataRow"), ...of("CopyData")].toSorted(),
    names: of("RowDescription").join(" | ").replaceAll(/:\d+/g, ""),
    tags: of("CommandComplete"),
    error: error === undefined ? undefined : { code: field("C"), message: field("M") },
  };
}
