import type { ConnectionOptions } from "node:tls";
import type { UpstreamTarget, UpstreamTls } from "../config/config.ts";
import type { Secret } from "../config/secret.ts";

/** Who logs in. A password function is asked for each connection, so that a rotated secret is seen. */
export type UpstreamLogin = { readonly user: string; readonly password: string | Secret };

/** Whether what travels to the server reaches nobody else: a Unix socket, or TLS with a proven certificate. */
export function isPrivate(target: UpstreamTarget): boolean {
  return target.host.startsWith("/") || (target.tls !== undefined && target.tls.mode !== "require");
}

/** Node's options for a mode; Node itself checks the name for `verify-full`. */
export function tlsOptions(tls: UpstreamTls): ConnectionOptions {
  const options: ConnectionOptions = {
    // libpq 17 and later send it too, and a server that knows it lets no other protocol's bytes in.
    ALPNProtocols: ["postgresql"],
    rejectUnauthorized: tls.mode !== "require",
    ...(tls.rootCertificate === undefined ? {} : { ca: tls.rootCertificate }),
    ...tls.clientCertificate?.(),
  };
  if (tls.mode === "verify-ca") options.checkServerIdentity = () => undefined;
  return options;
}
