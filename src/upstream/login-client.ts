import type { UpstreamTarget } from "../config/config.ts";
import { Client, type Connection } from "pg";
import { isPrivate, type UpstreamLogin } from "./target.ts";

/** PostgreSQL's own default is 4,096 and drivers' limits go to 100,000; a server asks for this much work of ours. */
const maxScramIterations = 100_000;

/**
 * pg's client, which does the login: with the startup packet given, SCRAM where the server can be anyone, and no
 * password in clear where somebody could be listening.
 */
export class LoginClient extends Client {
  readonly #parameters: Readonly<Record<string, string>>;
  readonly #private: boolean;
  /** pg's own field: there from the server's offer of SCRAM until its signature has been checked. */
  declare readonly saslSession: unknown;

  constructor(
    target: UpstreamTarget,
    login: UpstreamLogin,
    parameters: Readonly<Record<string, string>>,
    connection: Connection,
  ) {
    const { password } = login;
    const config = {
      host: target.host,
      port: target.port,
      user: login.user,
      database: target.database,
      // pg would pass its parameters on.
      password: typeof password === "string" ? password : () => password(),
      connection,
      enableChannelBinding: target.tls !== undefined,
      scramMaxIterations: maxScramIterations,
    };
    super(config);
    // pg looks into PGSSLMODE where it is given no `ssl`, which with a connection of ours says nothing.
    (this as { ssl?: unknown }).ssl = target.tls !== undefined;
    (this as { sslNegotiation?: string }).sslNegotiation = "postgres";
    this.#parameters = parameters;
    this.#private = isPrivate(target);
    connection.on("authenticationOk", () => {
      // A server that cannot sign does not know the password, and is somebody else (RFC 5802, section 3).
      if (this.saslSession)
        connection.emit("error", new Error("the server ended SCRAM without its signature"));
    });
  }

  /** Called by pg for the parameters of the StartupMessage. */
  getStartupConf(): Readonly<Record<string, string>> {
    return this.#parameters;
  }

  /** Called by pg when the server asks for the password itself. */
  _handleAuthCleartextPassword(message: unknown): void {
    if (this.#private) inherited._handleAuthCleartextPassword.call(this, message);
    else this.#refuse("a cleartext password");
  }

  /** Called by pg when the server asks for an MD5 hash, which is as good as the password to who overhears it. */
  _handleAuthMD5Password(message: unknown): void {
    if (this.#private) inherited._handleAuthMD5Password.call(this, message);
    else this.#refuse("an MD5 password");
  }

  #refuse(asked: string): void {
    const { connection } = this as unknown as { connection: Connection };
    const error = new Error(`the server asks for ${asked}; that needs sslmode=verify-full or a Unix socket`);
    connection.emit("error", error);
  }
}

/** What pg's client does with a password request; not in its type declarations. */
const inherited = Client.prototype as unknown as Record<
  "_handleAuthCleartextPassword" | "_handleAuthMD5Password",
  (this: Client, message: unknown) => void
>;
