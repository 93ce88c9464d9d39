import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { createLogger } from "../../src/log.ts";
import { createMetrics } from "../../src/metrics.ts";
import { Databases } from "../../src/session/databases.ts";
import { createTestDatabase } from "./embedded-database.ts";
import { writeProxyFiles } from "./running-proxy.ts";

test("a database that is opened while the configuration changes has the new rules", async () => {
  const database = await createTestDatabase({ sql: "create table t (id int, secret text)" });
  const directory = await writeProxyFiles({
    database,
    roles: { opened_tester: { file: { tables: { t: { select: { columns: ["id", "secret"] } } } } } },
    users: { alice: {} },
  });
  const load = () => {
    const loaded = loadConfig(join(directory, "rolegate.yaml"), {});
    if (loaded.kind === "refused") throw new Error(JSON.stringify(loaded.problems));
    return loaded.config;
  };
  const databases = new Databases(load(), createLogger("silent"), createMetrics());
  const opening = databases.get(database.name);
  const file = join(directory, "roles", "opened_tester.yaml");
  writeFileSync(file, readFileSync(file, "utf8").replace(/^.*secret.*\n/m, ""));
  const changed = load();
  const apply = await databases.prepare(changed);
  await opening;
  apply();
  expect((await databases.get(database.name)).config).toBe(changed.databases.get(database.name));
  const columns = (await databases.get(database.name)).roles.get("opened_tester")?.file.tables;
  expect(JSON.stringify(columns)).not.toContain("secret");
  await databases.close();
  rmSync(directory, { recursive: true });
  await database.close();
});
