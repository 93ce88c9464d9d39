import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import { formatProblem } from "../document/problem.ts";
import type { Logger } from "../log.ts";
import type { Proxy } from "../proxy.ts";
import { loadCheckedConfig } from "./load-config.ts";

/** Milliseconds between two looks at the files. */
const lookEvery = 300;

/**
 * Reads the configuration again when its file or a role file has changed and has been the same for two looks, so that none
 * is read half-written, and at once on SIGHUP. What is wrong is said in the log, and everything stays as it was.
 * @returns ends it
 */
export function reloadOnChange(
  proxy: Pick<Proxy, "reload">,
  file: string,
  { env, log, roles }: { env: NodeJS.ProcessEnv; log: Logger; roles: string },
): () => void {
  let seen = signature(file, roles);
  let read = seen;
  let running: Promise<void> = Promise.resolve();
  const reload = (): void => {
    running = running
      .then(() => readAgain(proxy, file, { env, log, roles }))
      .catch((error: unknown) =>
        log.error({ err: error }, "the configuration cannot be used; it stays as it was"),
      );
  };
  const look = (): void => {
    const now = signature(file, roles);
    if (now === seen && now !== read) {
      read = now;
      reload();
    }
    seen = now;
  };
  const timer = setInterval(look, lookEvery).unref();
  process.on("SIGHUP", reload);
  return () => {
    clearInterval(timer);
    process.off("SIGHUP", reload);
  };
}

async function readAgain(
  proxy: Pick<Proxy, "reload">,
  file: string,
  { env, log, roles }: { env: NodeJS.ProcessEnv; log: Logger; roles: string },
): Promise<void> {
  const before = signature(file, roles);
  const loaded = await loadCheckedConfig(file, env, { commandsLater: true });
  // Rules of which a part is missing may be good rules that allow more.
  if (signature(file, roles) !== before)
    return log.info("the configuration was changed while it was read; it is read again when that is done");
  if (loaded.kind === "refused")
    return log.error(
      { problems: loaded.problems.map(formatProblem) },
      "the configuration has problems; it stays as it was",
    );
  const later = await proxy.reload(loaded.config);
  if (later.length > 0)
    log.warn({ settings: later }, "settings have changed that hold from the next start on");
  return log.info("the configuration was read again");
}

/** What changes when one of the files is written, replaced, added or removed. */
function signature(file: string, roles: string): string {
  const names = entries(roles).map((name) => path.join(roles, name));
  return [file, ...names].map(stamp).join("\n");
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory).toSorted();
  } catch {
    return [];
  }
}

function stamp(file: string): string {
  try {
    const { mtimeMs, ctimeMs, size, ino } = statSync(file);
    return `${file} ${mtimeMs} ${ctimeMs} ${size} ${ino}`;
  } catch {
    return `${file} -`;
  }
}
