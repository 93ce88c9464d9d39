import { expect } from "vitest";
import type { ProxyOptions, RunningProxy } from "./running-proxy.ts";
import type { TestDatabase } from "./embedded-database.ts";

/** The one role of a proxy whose logins are attacked. */
export const attackedRoles: ProxyOptions["roles"] = {
  early_tester: {
    file: { tables: { t: { select: "all" } }, functions: { allow: ["pg_sleep"] } },
    grants: "grant select on t to early_tester",
  },
};

/** Nothing of a session is left: no connection to the database, and no start on record without its end. */
export async function expectNothingLeft(database: TestDatabase, proxy: RunningProxy): Promise<void> {
  const left = async () => ({ upstream: await upstream(database), onRecord: await openOnRecord(proxy) });
  await expect.poll(left, { timeout: 10_000 }).toEqual({ upstream: [], onRecord: [] });
}

/** Sessions that the record has seen begin, and not end. */
async function openOnRecord(proxy: RunningProxy): Promise<readonly unknown[]> {
  const record = await proxy.record();
  const ended = new Set(record.filter(({ event }) => event === "session end").map((line) => line["session"]));
  return record
    .filter(({ event }) => event === "session start")
    .map((line) => line["session"])
    .filter((session) => !ended.has(session));
}

async function upstream(database: TestDatabase): Promise<readonly unknown[]> {
  const { rows } = await database.query(
    "select pid from pg_stat_activity where datname = current_database() and usename = 'rolegate_early_tester' and application_name <> 'rolegate catalog'",
  );
  return rows;
}
