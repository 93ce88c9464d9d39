import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  type Stats,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Context, contextSchema } from "./context.ts";

/**
 * The directory of the contexts: `rolegate` in XDG_CONFIG_HOME, which counts only as an absolute path (XDG Base Directory
 * Specification), else in ~/.config.
 */
export function contextDirectory(env: NodeJS.ProcessEnv): string {
  const { XDG_CONFIG_HOME: base = "" } = env;
  return path.join(path.isAbsolute(base) ? base : path.join(os.homedir(), ".config"), "rolegate");
}

/**
 * The context of that name; undefined: there is none.
 * @throws Error for a file that others can read or write, or could have put there, and for one of another form: it holds
 *   tokens, and says where they are sent
 */
export function readContext(directory: string, name: string): Context | undefined {
  const file = fileOf(directory, name);
  let descriptor: number;
  try {
    // No link, which could lead to a file of somebody else's.
    descriptor = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw new Error(`${file}: found something that is no file, expected a file`);
    refuseOthers(file, stats, "0600");
    refuseOthers(directory, statSync(directory), "0700");
    const parsed = contextSchema.safeParse(parse(readFileSync(descriptor, "utf8")));
    if (parsed.success) return parsed.data;
    // Not what was found: a token may stand there.
    throw new Error(
      `${file}: found ${parsed.error.issues[0]?.path.join(".") || "text"} of another form, expected what rolegate login wrote`,
    );
  } finally {
    closeSync(descriptor);
  }
}

/** Writes a context that only its owner can read, whole or not at all. To be called by whoever has it `exclusively`. */
export function writeContext(directory: string, name: string, context: Context): void {
  const file = fileOf(directory, name);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  refuseOthers(directory, statSync(directory), "0700");
  const unfinished = `${file}.${process.pid}`;
  rmSync(unfinished, { force: true });
  writeFileSync(unfinished, `${JSON.stringify(context, undefined, 2)}\n`, { mode: 0o600, flag: "wx" });
  renameSync(unfinished, file);
}

/** Takes a context away; false: there was none. */
export function removeContext(directory: string, name: string): boolean {
  try {
    rmSync(fileOf(directory, name));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

/** How long one command may renew tokens, and how long another waits for it, in milliseconds. */
const renewal = 60_000;

/**
 * Does `work` while no other command renews, replaces or forgets this sign-in: many providers take a refresh token once, and
 * where it comes twice they take back the whole sign-in; and who renews one must not bring back what was forgotten.
 * @throws Error where another does not come to an end
 */
export async function exclusively<Value>(
  directory: string,
  name: string,
  work: () => Promise<Value>,
): Promise<Value> {
  const lock = `${fileOf(directory, name)}.lock`;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const deadline = Date.now() + renewal;
  while (!take(lock)) {
    if (Date.now() > deadline) throw new Error(`${lock}: another command is renewing the sign-in`);
    await sleep(50);
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function take(lock: string): boolean {
  try {
    writeFileSync(lock, "", { mode: 0o600, flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const made = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
    // Whoever made it was killed.
    if (made !== undefined && Date.now() - made > renewal) rmSync(lock, { force: true });
    return false;
  }
}

function fileOf(directory: string, name: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name))
    throw new Error("--name: expected letters, digits, . _ and -, with a letter or a digit first");
  return path.join(directory, `${name}.json`);
}

function refuseOthers(file: string, { mode, uid }: Stats, wanted: string): void {
  // Where there are no owners (Windows) there are no modes either.
  const own = process.getuid?.();
  if (own === undefined) return;
  if (uid !== own) throw new Error(`${file}: found another owner, expected you`);
  if ((mode & 0o077) !== 0)
    throw new Error(
      `${file}: found permissions ${(mode & 0o777).toString(8).padStart(4, "0")}, expected ${wanted}: it holds tokens that nobody else may read`,
    );
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
