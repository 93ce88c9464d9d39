import { isLoopback } from "./loopback.ts";
import type { Method } from "./identity.ts";

/** A connection as it looks before anybody has proved anything. */
export type Stranger = {
  /** `user` of the startup packet. */
  readonly user: string;
  readonly database: string;
  /** IP address of the client, without port. */
  readonly address: string;
  readonly encrypted: boolean;
  /** It showed a certificate, and that was found valid. */
  readonly certified: boolean;
};

/** One entry of `authentication`. What is undefined fits every connection. */
export type MethodRule = {
  readonly addresses: ((address: string) => boolean) | undefined;
  readonly tls: boolean | undefined;
  readonly certificate: boolean | undefined;
  readonly databases: ReadonlySet<string> | undefined;
  readonly users: ((user: string) => boolean) | undefined;
  readonly method: Method | "reject";
  /** Whose tokens are taken; undefined: those of every issuer. `oauth` has one. */
  readonly issuer?: string | undefined;
  /** What the record calls the rule. */
  readonly source: string;
};

/**
 * The first rule that fits, as in pg_hba.conf; undefined: none does, and the connection is refused. It depends on
 * what the client says and on the configuration only, never on whether the user exists: the method that is asked for
 * must not tell.
 */
export function chooseMethod(stranger: Stranger, rules: readonly MethodRule[]): MethodRule | undefined {
  return rules.find(
    ({ addresses, tls, certificate, databases, users }) =>
      (tls === undefined || tls === stranger.encrypted) &&
      (certificate === undefined || certificate === stranger.certified) &&
      (databases === undefined || databases.has(stranger.database)) &&
      (users === undefined || users(stranger.user)) &&
      (addresses === undefined || addresses(stranger.address)),
  );
}

/**
 * The rules of a configuration that has none: who shows a certificate is who that says; with passwords and tokens side by side the form of the name decides, since
 * names of tokens are addresses, and roles are what a person with a token asks for.
 */
export function usualRules({
  certificates,
  passwords,
  tokens,
  roleNames,
}: {
  readonly certificates: boolean;
  readonly passwords: boolean;
  readonly tokens: boolean;
  readonly roleNames: ReadonlySet<string>;
}): readonly MethodRule[] {
  const every = {
    addresses: undefined,
    tls: undefined,
    certificate: undefined,
    databases: undefined,
    users: undefined,
  };
  const source = "the form of the name";
  const rules: MethodRule[] = [];
  if (certificates)
    // Where there is nothing else, whoever shows none is told so.
    rules.push({
      ...every,
      certificate: passwords || tokens ? true : undefined,
      method: "certificate",
      source: "a certificate was shown",
    });
  if (tokens) {
    const users = passwords ? (user: string) => user.includes("@") || roleNames.has(user) : undefined;
    rules.push({ ...every, users, method: "jwt", source });
  }
  if (passwords) rules.push({ ...every, method: "password", source });
  return rules;
}

/**
 * Whether a token may be asked for here: it is a bearer secret, so only over TLS, or from this machine where the
 * configuration allows it.
 */
export function mayReceiveToken(
  { encrypted, address }: Pick<Stranger, "encrypted" | "address">,
  plaintextTokensOnLoopback: boolean,
): boolean {
  return encrypted || (plaintextTokensOnLoopback && isLoopback(address));
}

/**
 * A pattern of names: `*` stands for any characters, everything else for itself. `role:analyst` is no pattern, but a
 * name like any other.
 */
export function namePattern(pattern: string): (name: string) => boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return (name) => name === pattern;
  return (name) => {
    if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length)
      return false;
    let at = first.length;
    for (const part of rest) {
      const found = name.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at <= name.length - last.length;
  };
}
