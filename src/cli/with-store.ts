import { hostname, userInfo } from "node:os";
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { formatProblem } from "../document/problem.ts";
import { createLogger } from "../log.ts";
import { Store } from "../store/store.ts";
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
    return await work(store, loaded.config);
  } finally {
    await store.close();
  }
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
