import { join } from "node:path";
import { applyTo } from "../apply/apply-to.ts";
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { formatProblem } from "../document/problem.ts";
import { createLogger } from "../log.ts";
import { startProxy, type Proxy } from "../proxy.ts";
import { writeConfiguration, type DemoConfiguration } from "./configuration.ts";
import type { EmbeddedPostgres } from "../embedded/embedded-postgres.ts";
import { freePort } from "../embedded/free-port.ts";
import { startShop } from "./shop.ts";

export type Demo = {
  readonly configuration: DemoConfiguration;
  readonly port: number;
  readonly adminPort: number;
  /** Stops everything and leaves nothing behind. */
  close(): Promise<void>;
};

/** Starts the database, makes roles and logins, and starts the proxy before it, as an operator would. */
export async function startDemo(): Promise<Demo> {
  const postgres = await startShop();
  try {
    for (let attempt = 1; ; attempt++) {
      const ports = { proxy: await freePort(6432), admin: await freePort(6480), postgres: postgres.port };
      try {
        return await startBefore(postgres, ports);
      } catch (error) {
        // Another demo may have taken a port since we looked.
        if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE" || attempt === 5) throw error;
      }
    }
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

async function startBefore(
  postgres: EmbeddedPostgres,
  ports: { readonly proxy: number; readonly admin: number; readonly postgres: number },
): Promise<Demo> {
  // In the database's directory, which goes with it even if this process is killed.
  const configuration = await writeConfiguration(join(postgres.directory, "demo"), ports);
  const config = load(configuration.file);
  const applied = await applyTo(postgres.url("shop"), config.databases.get("shop")!, {});
  if (applied.kind === "refused") throw new Error(applied.problems.join("\n"));
  const proxy: Proxy = await startProxy(config, { log: createLogger("warn") });
  return {
    configuration,
    port: proxy.port,
    adminPort: ports.admin,
    close: async () => {
      await proxy.close(1_000);
      await postgres.stop();
    },
  };
}

function load(file: string): Config {
  const loaded = loadConfig(file, {});
  if (loaded.kind === "loaded") return loaded.config;
  throw new Error(loaded.problems.map(formatProblem).join("\n"));
}
