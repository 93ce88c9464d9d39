import { readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Who has a directory: a process, and what tells it from a later one of the same number. */
type Owner = { readonly pid: number; readonly mark: string | undefined };

/** What this process has itself. */
const ours = new Set<string>();

/**
 * Takes a directory for this process; what a process that has ended left behind is cleared away.
 * @returns gives it back
 * @throws Error if a process that lives has it
 */
export function claim(directory: string): () => void {
  const file = join(directory, "owner.json");
  const own = JSON.stringify({ pid: process.pid, mark: markOf(process.pid) } satisfies Owner);
  for (let attempt = 1; ; attempt++) {
    try {
      writeFileSync(file, own, { flag: "wx", mode: 0o600 });
      ours.add(directory);
      return () => {
        ours.delete(directory);
        unlinkSync(file);
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || attempt === 5) throw error;
    }
    clearStale(file, directory);
  }
}

function clearStale(file: string, directory: string): void {
  const text = readOr(file, "");
  const owner = parseOwner(text);
  if (owner === undefined ? ours.has(directory) : isAlive(owner, directory))
    throw new Error(`${directory} belongs to another rolegate serve (process ${owner?.pid ?? "unknown"})`);
  // Renamed, and looked at again: between the look and the removal somebody else may have done the same and taken it.
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
    if (readOr(aside, "") === text) unlinkSync(aside);
    else renameSync(aside, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

function isAlive({ pid, mark }: Owner, directory: string): boolean {
  if (pid === process.pid && !ours.has(directory)) return false;
  return exists(pid) && (mark === undefined || markOf(pid) === mark);
}

/** True if there is a process of this number, whoever's. */
export function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** The boot and the time at which a process began (proc(5), field 22); undefined where the system does not tell. */
function markOf(pid: number): string | undefined {
  const stat = readOr(`/proc/${pid}/stat`, "");
  // The second field is the program's name, in parentheses and with anything in it.
  const began = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  if (began === undefined) return undefined;
  return `${readOr("/proc/sys/kernel/random/boot_id", "").trim()} ${began}`;
}

function parseOwner(text: string): Owner | undefined {
  try {
    const { pid, mark } = JSON.parse(text) as Partial<Owner>;
    return Number.isSafeInteger(pid) && pid! > 0 ? { pid: pid!, mark } : undefined;
  } catch {
    return undefined;
  }
}

export function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return otherwise;
  }
}
