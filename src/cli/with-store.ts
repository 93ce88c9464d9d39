import { hostname, userInfo } from "node:os";
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { formatProblem } from "../document/problem.ts";
import { createLogger } from "../log.ts";
import { checkSchema } from "../store/migrate.ts";
import { Store } from "../store/store.ts";
import { isUnavailable } from "../store/unavailable.ts";
import { storeAddress } from "./store-address.ts";

/**
 * Runs a command that needs the store of a configuration.
 * @returns its exit code; 2, with the problems printed, for a configuration that is wrong
 * @throws Error where there is no store, or what `work` throws
 */
export async function withStore(
  file: string,
  work: (store: Store, config: Config) => Promise<number>,
): Promise<number> {
  const loaded = loadConfig(file, process.env);
  if (loaded.kind === "refused") {
    process.stderr.write([...loaded.problems.map(formatProblem), ""].join("\n"));
    return 2;
  }
  const store = new Store(storeAddress(loaded.config), createLogger("silent"));
  try {
    await checkSchema((sql, values) => store.query(sql, values));
    return await work(store, loaded.config);
  } catch (error) {
    throw isUnavailable(error) ? new Error(awayMessage(error)) : error;
  } finally {
    await store.close();
  }
}

/** What a person at the terminal is told, who may know where the store is. */
export function awayMessage(error: unknown): string {
  const { cause } = error as Error;
  return `the store is not available${cause instanceof Error ? `: ${cause.message || cause.name}` : ""}`;
}

/** Who asks, as the operating system says; stored with what they do. */
export function operator(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    return `uid ${process.getuid?.() ?? "?"}@${hostname()}`;
  }
}

/** @throws Error for none, or one that is no single line */
export function readReason(reason: string | undefined): string {
  if (reason !== undefined && /^\P{C}{1,500}$/u.test(reason) && reason.trim() !== "") return reason;
  throw new Error("--reason: expected one line of at most 500 characters that says why");
}
