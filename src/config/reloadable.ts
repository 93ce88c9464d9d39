import type { Config } from "./config.ts";

/** What of a configuration that was read again holds from now on, and what of it only from the next start on. */
export type Reloadable = { readonly config: Config; readonly later: readonly string[] };

/**
 * The running configuration with what can change while it runs: identities, authentication, access and the role files of the
 * databases that are served.
 */
export function reloadable(running: Config, read: Config): Reloadable {
  const { access } = read;
  // Keys that were fetched are kept, and with them how long they are believed.
  const jwt = read.identities.jwt.map((issuer) => {
    const known = running.identities.jwt.find((other) => other.issuer === issuer.issuer);
    return known !== undefined && known.keysFrom === issuer.keysFrom
      ? { ...issuer, keys: known.keys }
      : issuer;
  });
  const identities = { ...read.identities, jwt };
  const later: string[] = [];
  const databases = new Map<
    string,
    Config["databases"] extends ReadonlyMap<string, infer One> ? One : never
  >();
  for (const [name, database] of read.databases) {
    const served = running.databases.get(name);
    if (served === undefined) {
      later.push(`databases.${name}`);
      continue;
    }
    const { upstream, login } = database;
    if (differ(upstream, served.upstream) || differ(login, served.login)) later.push(`databases.${name}`);
    databases.set(name, { ...served, roles: database.roles });
  }
  for (const setting of ["admin", "audit", "store", "limits", "log"] as const)
    if (differ(running[setting], read[setting])) later.push(setting);
  if (differ(running.listen.address, read.listen.address)) later.push("listen.address");
  return { config: { ...running, identities, access, databases }, later };
}

/** As far as they are data; what a secret is now, or a network contains, is asked when it is needed. */
function differ(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) !== JSON.stringify(other);
}
