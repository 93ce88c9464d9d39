import type { DatabaseConfig, LoginConfig } from "./config.ts";
import type { RoleSecret } from "./secret.ts";
import { type Reading, keysAt, read, report } from "./reading.ts";

/** The database that rolegate serves itself, for requests and approvals (docs/requests.md). */
export const ownDatabase = "rolegate";

/** A database without its role files, and without what is different for each of its roles. */
export type BareDatabase = Omit<DatabaseConfig, "roles" | "login"> & {
  readonly login: Pick<LoginConfig, "userTemplate"> & { readonly password: RoleSecret };
};

export type DatabasesReading = {
  /** Every name that stands under `databases`, whether or not the rest of its entry is right. */
  readonly names: ReadonlySet<string>;
  readonly databases: readonly BareDatabase[];
};

/** `databases`, entry by entry. */
export function readDatabases(reading: Reading): DatabasesReading {
  const names =
    keysAt(reading, ["databases"], "a mapping of database names to their upstream and login") ?? [];
  const databases = names.flatMap((name): BareDatabase[] => {
    const path = ["databases", name];
    if (!/^\P{C}{1,63}$/u.test(name))
      report(reading, path, "not a usable name", "1 to 63 printable characters", "another name");
    if (name === ownDatabase)
      report(
        reading,
        path,
        "a name of rolegate's own",
        "another name: this database is rolegate itself",
        name,
      );
    const given = read(reading, path, reading.schemas.database);
    if (given === undefined) return [];
    const { user: userTemplate, password } = given.login;
    return [{ name, upstream: given.upstream, login: { userTemplate, password } }];
  });
  return { names: new Set(names), databases };
}
