import { isThisMachine } from "../identity/loopback.ts";

/** What pg takes for TLS with a certificate that it verifies. */
const verified: ReadonlySet<string> = new Set(["require", "verify-ca", "verify-full"]);

/**
 * Refuses an administrator's URL that leads over a network without TLS: pg's own default would give a superuser's password
 * to whoever answers there and asks for it.
 * @throws Error that names nothing of the URL but its sslmode
 */
export function assertPrivateUrl(url: string): void {
  const { hostname, searchParams } = URL.parse(url) ?? { hostname: "", searchParams: new URLSearchParams() };
  const host = searchParams.get("host") ?? decodeURIComponent(hostname).replace(/^\[|\]$/g, "");
  if (host === "" || host.startsWith("/") || isThisMachine(host)) return;
  const mode = searchParams.get("sslmode");
  if (mode !== null && verified.has(mode)) return;
  throw new Error(
    `the administrator's connection: found ${mode === null ? "no sslmode" : "another sslmode"}, expected sslmode=verify-full, because the server is on another machine`,
  );
}
