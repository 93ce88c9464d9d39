import type { AccessEntry } from "../access/access-entry.ts";
import type { CertificateName } from "../identity/certificate-names.ts";
import type { MethodRule } from "../identity/choose-method.ts";
import type { JwtIssuer } from "../identity/jwt-issuer.ts";
import type { PasswordUsers } from "../identity/password-users.ts";
import type { RoleFile } from "../policy/role-file.ts";
import type { Networks } from "../identity/networks.ts";
import type { MockSecret } from "./mock-secret.ts";
import type { Secret } from "./secret.ts";

/** `rolegate.yaml` with everything that it names: validated, secrets resolved, paths absolute, conditions compiled. */
export type Config = {
  /** The configuration file's absolute path. */
  readonly file: string;
  readonly listen: ListenConfig;
  /** Health and metrics; undefined: not served. */
  readonly admin: { readonly address: SocketAddress } | undefined;
  /** By the name that clients give in the startup packet. */
  readonly databases: ReadonlyMap<string, DatabaseConfig>;
  readonly identities: IdentitiesConfig;
  /** In the order of the file: the first that fits is the session's first role. */
  readonly access: readonly AccessEntry[];
  readonly audit: { readonly directory: string };
  /** What all instances share; undefined: there is none. */
  readonly store: StoreConfig | undefined;
  readonly limits: LimitsConfig;
  readonly log: { readonly level: LogLevel };
};

/** Port 0: the system picks one. */
export type SocketAddress = { readonly host: string; readonly port: number };

export type ListenConfig = {
  readonly address: SocketAddress;
  readonly tls: ListenTlsConfig | undefined;
  /** Whose connections begin with a header of the PROXY protocol; undefined: nobody's. */
  readonly trustedProxies: Networks | undefined;
};

export type ListenTlsConfig = {
  /** PEM: the certificate, then its intermediates. */
  readonly certificate: string;
  /** PEM. A function, so that logging the configuration shows no key. */
  readonly key: () => string;
  /** PEM: whose client certificates are believed; undefined: none is asked for. */
  readonly clientCa: string | undefined;
  /** PEM: revocation lists of these authorities; undefined: none is looked at. */
  readonly clientCrl: string | undefined;
  /** `require`: plaintext is refused before any password; `optional`: the client decides. */
  readonly mode: "require" | "optional";
};

export type DatabaseConfig = {
  readonly name: string;
  readonly upstream: UpstreamTarget;
  readonly login: LoginConfig;
  /** The role files of this database, by role. */
  readonly roles: ReadonlyMap<string, RoleFile>;
};

export type UpstreamTarget = {
  /** A host name, an IP address, or the absolute directory of a unix socket. */
  readonly host: string;
  readonly port: number;
  /** The database's name on the server. */
  readonly database: string;
  /** Undefined: sslmode=disable. */
  readonly tls: UpstreamTls | undefined;
  /** The minor version of the protocol that is asked for: 3.2 where it is left out. */
  readonly minor?: 0 | 2;
  /** Only a server that binds the login to its certificate is believed: SCRAM-SHA-256-PLUS and nothing else. */
  readonly bound?: boolean;
};

/** As libpq's sslmode. */
export type UpstreamTls = {
  readonly mode: "require" | "verify-ca" | "verify-full";
  /** PEM of the authorities to trust; undefined: those that Node ships with. */
  readonly rootCertificate: string | undefined;
  /**
   * The client's, as PEM, read again for each connection, so that a renewed one is seen; undefined: none.
   * @throws Error if it can no longer be read
   */
  readonly clientCertificate?: (() => { readonly cert: string; readonly key: string }) | undefined;
};

export type StoreConfig = {
  readonly place:
    | {
        readonly kind: "server";
        readonly target: UpstreamTarget;
        readonly login: { readonly user: string; readonly password: () => Promise<string> };
      }
    /** A PostgreSQL that `serve` starts and stops, with its data in the directory. */
    | { readonly kind: "embedded"; readonly directory: string };
  /** What happens while it cannot be reached. */
  readonly whenDown: "refuse" | "continue";
  /** With `refuse`: for how many milliseconds sessions go on without it. */
  readonly grace: number;
};

export type LoginConfig = {
  /** With `{role}` in it; `loginUser` fills it in. */
  readonly userTemplate: string;
  /** Of a role's login; resolves at once unless it comes from a command that has to run again. */
  readonly password: (role: string) => Secret;
};

/** At least one way is there. */
export type IdentitiesConfig = {
  /** Undefined: no `password` identities, SCRAM is never offered. */
  readonly passwordUsers: PasswordUsers | undefined;
  /** Undefined where there are no password users. */
  readonly mockSecret: MockSecret | undefined;
  /** Empty: certificates name nobody. */
  readonly certificates: readonly CertificateName[];
  /** Empty: tokens are never asked for. */
  readonly jwt: readonly JwtIssuer[];
  /** True: a token may arrive without TLS from a loopback address. */
  readonly plaintextTokensOnLoopback: boolean;
  /** Which of them is asked for; never empty. */
  readonly rules: readonly MethodRule[];
  /** Every attribute that some identity can have. */
  readonly attributes: ReadonlySet<string>;
};

type LimitsConfig = {
  /** Client connections at one time. */
  readonly maxConnections: number;
  /** Of these, connections that have not yet logged in. */
  readonly maxUnauthenticated: number;
  /** Of these, connections from one network; undefined: half of them. */
  readonly maxUnauthenticatedPerNetwork?: number | undefined;
  /** Milliseconds from accept to the end of authentication. */
  readonly authenticationTimeout: number;
  /** Milliseconds for opening an upstream connection, login included. */
  readonly upstreamTimeout: number;
  readonly failedLogins: FailedLoginLimits;
};

/** How guessing is slowed down and stopped; times in milliseconds. */
export type FailedLoginLimits = {
  /** For how long a failure counts. */
  readonly within: number;
  /** Failures with one name from one network. */
  readonly perUser: number;
  /** Failures from one network. */
  readonly perNetwork: number;
  readonly lockFor: number;
  /** Failures with one name, from wherever. */
  readonly perUserEverywhere: number;
  /** Undefined: 5 s, or half of authenticationTimeout where that is less. */
  readonly maxDelay?: number | undefined;
  /** Where failures are not counted; undefined: nowhere. */
  readonly trusted?: Networks | undefined;
};

type LogLevel = "debug" | "info" | "warn" | "error";

/** The upstream login for a role. */
export function loginUser(login: Pick<LoginConfig, "userTemplate">, role: string): string {
  return login.userTemplate.replaceAll("{role}", () => role);
}
