import { Client, type QueryResult } from "pg";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { startTestProxy, type RecordLine, type RunningProxy } from "./running-proxy.ts";
import { createTestStore, type TestStore } from "./store-database.ts";

/** Two proxies that share a store, before one database. */
export type RequestStage = {
  readonly database: TestDatabase;
  readonly store: TestStore;
  readonly east: RunningProxy;
  readonly west: RunningProxy;
  /** Says something to rolegate itself, on a connection of its own. */
  say(user: string, command: string, proxy?: RunningProxy): Promise<QueryResult>;
  /** The same, for an answer that is an error: its SQLSTATE and message. */
  refused(user: string, command: string, proxy?: RunningProxy): Promise<string>;
  /** Asks, and gives the request's number. */
  ask(
    user: string,
    role: string,
    more?: { readonly time?: string; readonly reason?: string },
  ): Promise<string>;
  /** How a request stands, as its requester sees it. */
  stateOf(user: string, id: string): Promise<string | undefined>;
  /** As whom a user logs in there, or how they are refused. */
  enter(user: string, as: string, proxy?: RunningProxy): Promise<string>;
  close(): Promise<void>;
};

/** Everybody, by their groups. Mallory has none, and no role. */
const people = {
  alice: ["engineers"],
  bob: ["leads"],
  carol: ["leads"],
  dave: ["leads", "engineers"],
  otto: ["oncall"],
  mallory: [],
} as const;

const leads = '"leads" in identity.groups';

const role = (name: string) => ({
  file: { tables: { t: { select: "all" } }, functions: { allow: ["pg_sleep"] } },
  grants: `grant select on t to ${name}`,
});

export async function openRequestStage(more: readonly object[] = []): Promise<RequestStage> {
  const database = await createTestDatabase({ sql: "create table t (id int); insert into t values (1)" });
  const store = await createTestStore();
  const entry = (name: string, when: string, terms: object = {}) => ({
    role: name,
    database: database.name,
    when,
    ...terms,
  });
  const engineers = '"engineers" in identity.groups';
  const options = {
    database,
    roles: Object.fromEntries(
      ["asked_reader", "asked_admin", "asked_owner", "asked_glass"].map((name) => [name, role(name)]),
    ),
    users: Object.fromEntries(Object.entries(people).map(([name, groups]) => [name, { groups }])),
    access: [
      entry("asked_admin", engineers, { request: { maxDuration: "1h", approvers: leads } }),
      entry("asked_owner", engineers, { request: { maxDuration: "1h", approvals: 2, approvers: leads } }),
      entry("asked_glass", '"oncall" in identity.groups', { breakGlass: { maxDuration: "15min" } }),
      entry("asked_reader", '"engineers" in identity.groups || "oncall" in identity.groups'),
      ...more.map((each) => ({ database: database.name, ...each })),
    ],
    more: {
      store: store.setting,
    },
  };
  const east = await startTestProxy(options);
  const west = await startTestProxy(options);

  const say: RequestStage["say"] = async (user, command, proxy = east) => {
    const client = new Client(proxy.client(user, { database: "rolegate" }));
    client.on("error", () => {});
    await client.connect();
    try {
      return await client.query(command);
    } finally {
      await client.end();
    }
  };
  return {
    database,
    store,
    east,
    west,
    say,
    refused: async (user, command, proxy) => {
      try {
        await say(user, command, proxy);
      } catch (error) {
        const { code, message } = error as { code: string; message: string };
        return `${code} ${message}`;
      }
      throw new Error(`${user} was let through: ${command}`);
    },
    ask: async (user, name, { time = "30min", reason = "the queue is stuck" } = {}) => {
      const command = `REQUEST ROLE ${name} ON ${database.name} FOR '${time}' REASON '${reason}'`;
      const { rows } = await say(user, command);
      return (rows as { id: string }[])[0]!.id;
    },
    stateOf: async (user, id) => {
      const { rows } = await say(user, "SHOW REQUESTS");
      return (rows as { id: string; state: string }[]).find((row) => row.id === id)?.state;
    },
    enter: async (user, as, proxy = east) => {
      const client = new Client(proxy.client(user));
      client.on("error", () => {});
      await client.connect();
      try {
        if (as !== user) await client.query(`set role ${as}`);
        const { rows } = await client.query("select current_user::text as role");
        return (rows as { role: string }[])[0]!.role;
      } catch (error) {
        const { code, message } = error as { code: string; message: string };
        return `${code} ${message}`;
      } finally {
        await client.end().catch(() => {});
      }
    },
    close: async () => {
      await east.close();
      await west.close();
      await store.close();
      await database.close();
    },
  };
}

/** The lines of a record that tell of requests, without their times. */
export async function requestLines(proxy: RunningProxy, id: string): Promise<readonly RecordLine[]> {
  const lines = await proxy.record();
  return lines.filter((line) => line.event.startsWith("request ") && String(line["request"]) === id);
}
