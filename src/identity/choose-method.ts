import { isLoopback } from "./loopback.ts";
import type { PasswordUsers } from "./password-users.ts";

/** What the choice depends on: the configuration's `identities`, without what they contain. */
export type MethodConfig = {
  readonly passwordUsers: PasswordUsers | undefined;
  readonly jwt: readonly unknown[];
  readonly plaintextTokensOnLoopback: boolean;
  readonly roleNames: ReadonlySet<string>;
};

export type Method =
  /** SCRAM-SHA-256, against `verifierFor`. */
  | "scram"
  /** A JWT in a cleartext PasswordMessage, if `mayReceiveToken`. */
  | "token";

/**
 * How a client that gave this name in the startup packet has to prove itself. A function of the name's form and the
 * configuration only, never of whether the user exists: the method that is asked for must not tell.
 */
export function chooseMethod(name: string, config: MethodConfig): Method {
  if (config.passwordUsers === undefined) return "token";
  if (config.jwt.length === 0) return "scram";
  return name.includes("@") || config.roleNames.has(name) ? "token" : "scram";
}

/**
 * Whether a token may be asked for here: it is a bearer secret, so only over TLS, or from this machine where the
 * configuration allows it.
 * @param remoteAddress IP address of the client, without port.
 */
export function mayReceiveToken(
  connection: { encrypted: boolean; remoteAddress: string },
  config: MethodConfig,
): boolean {
  if (connection.encrypted) return true;
  return config.plaintextTokensOnLoopback && isLoopback(connection.remoteAddress);
}
