import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** A system account by its numbers. */
export type SystemUser = { readonly uid: number; readonly gid: number };

/**
 * The account to run PostgreSQL as: it refuses to run as root. Undefined: as we are.
 * initdb looks its own account up, so only accounts that /etc/passwd lists will do; `nobody` owns nothing.
 */
export function unprivilegedUser(): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .map(([name, , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(({ uid, gid }) => uid > 0 && gid > 0);
  const account =
    accounts.find(({ name }) => name === "nobody") ??
    accounts.find(({ name }) => name === "postgres") ??
    accounts[0];
  if (account === undefined)
    throw new Error("PostgreSQL does not run as root and /etc/passwd lists no other account");
  return { uid: account.uid, gid: account.gid };
}

/** Whether `user` may pass through every directory above `path` and into it, by mode bits; undefined: we ourselves may. */
export function canReach(user: SystemUser | undefined, path: string): boolean {
  if (user === undefined) return true;
  for (let place = resolve(path); ; place = dirname(place)) {
    const { mode, uid, gid } = statSync(place);
    const search = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & search) === 0) return false;
    if (place === dirname(place)) return true;
  }
}
