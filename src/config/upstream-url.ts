import { isIP } from "node:net";
import { oneOf } from "../document/suggest.ts";
import { isThisMachine } from "../identity/loopback.ts";

type SslMode = "disable" | "require" | "verify-ca" | "verify-full";

type UpstreamUrl = {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly sslmode: SslMode;
  /** A path, `system`, or undefined: not given. */
  readonly sslrootcert: string | undefined;
  /** Paths; both or none. */
  readonly sslcert: string | undefined;
  readonly sslkey: string | undefined;
  /** channel_binding=require. */
  readonly bound: boolean;
  /** As libpq 18's max_protocol_version. */
  readonly minor: 0 | 2;
};

export type UpstreamUrlReading =
  | { readonly kind: "url"; readonly url: UpstreamUrl }
  /** Neither field repeats the URL: it may hold a password. */
  | { readonly kind: "refused"; readonly found: string; readonly expected: string };

const form = "postgres://host:port/database?sslmode=verify-full";

/**
 * Reads the URL of a database, in libpq's form (documentation, 34.1.1.2) as far as it fits here: one host or unix
 * socket, no user, no password. Every parameter is either used or refused.
 */
export function parseUpstreamUrl(text: string): UpstreamUrlReading {
  if (!/^postgres(ql)?:\/\//.test(text)) return refused("text that does not begin with postgres://", form);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return refused(
      text.includes(",") ? "several hosts, or no URL" : "text that is no URL",
      `one host: ${form}`,
    );
  }
  if (url.username !== "" || url.password !== "") {
    return refused(
      "a user or password in the URL",
      "none here: they belong into login.user and login.password",
    );
  }
  if (url.hash !== "") return refused("a fragment (#…)", form);
  const known = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "channel_binding",
    "host",
    "max_protocol_version",
  ];
  for (const key of url.searchParams.keys()) {
    if (!known.includes(key))
      return refused(`the parameter ${/^[a-z_]{1,40}$/.test(key) ? key : "?"}`, oneOf(key, known));
    if (url.searchParams.getAll(key).length > 1)
      return refused(`the parameter ${key} twice`, "each parameter once");
  }
  const host = hostOf(url);
  if (host === undefined)
    return refused(
      "no usable host",
      `a host name, an IP address, or ?host=/directory of a unix socket: ${form}`,
    );
  const database = decode(url.pathname.slice(1));
  if (database === undefined || database === "" || database.includes("/") || /\p{Cc}/u.test(database)) {
    return refused("no usable database name", `the database's name behind the host: ${form}`);
  }
  const port = url.port === "" ? 5432 : Number(url.port);
  if (port === 0) return refused("port 0", "the server's port");
  const minor = minors[url.searchParams.get("max_protocol_version") ?? "latest"];
  if (minor === undefined) return refused("another max_protocol_version", "3.0, 3.2 or latest");
  const tls = sslOf(url, host);
  if (tls.kind === "refused") return tls;
  const proof = proofOf(url, tls.ssl.sslmode);
  return proof.kind === "refused"
    ? proof
    : { kind: "url", url: { host, port, database, minor, ...tls.ssl, ...proof.proof } };
}

const minors: Readonly<Partial<Record<string, 0 | 2>>> = { "3.0": 0, "3.2": 2, latest: 2 };

function hostOf(url: URL): string | undefined {
  const inQuery = url.searchParams.get("host");
  const inPlace = decode(url.hostname);
  if (inPlace === undefined || (inQuery !== null && inPlace !== "")) return undefined;
  const host = inQuery ?? inPlace;
  if (host.startsWith("/")) return host.includes("\0") ? undefined : host;
  if (inQuery !== null) return undefined;
  if (host.startsWith("[")) return isIP(host.slice(1, -1)) === 6 ? host.slice(1, -1) : undefined;
  return /^[A-Za-z0-9._-]+$/.test(host) ? host : undefined;
}

type ProofReading =
  | { readonly kind: "proof"; readonly proof: Pick<UpstreamUrl, "sslcert" | "sslkey" | "bound"> }
  | { readonly kind: "refused"; readonly found: string; readonly expected: string };

/** What rolegate proves itself with beside the password, and what the server has to. */
function proofOf({ searchParams }: URL, sslmode: SslMode): ProofReading {
  const sslcert = searchParams.get("sslcert") ?? undefined;
  const sslkey = searchParams.get("sslkey") ?? undefined;
  const binding = searchParams.get("channel_binding") ?? "prefer";
  if ((sslcert === undefined) !== (sslkey === undefined))
    return refused("one of sslcert and sslkey", "both, or neither");
  if (binding !== "prefer" && binding !== "require")
    return refused("another channel_binding", oneOf(binding, ["prefer", "require"]));
  if (sslmode !== "disable" || (sslcert === undefined && binding === "prefer"))
    return { kind: "proof", proof: { sslcert, sslkey, bound: binding === "require" } };
  return refused("sslcert or channel_binding=require without TLS", "sslmode=verify-full, or none of them");
}

type SslReading =
  | { readonly kind: "ssl"; readonly ssl: Pick<UpstreamUrl, "sslmode" | "sslrootcert"> }
  | { readonly kind: "refused"; readonly found: string; readonly expected: string };

function sslOf(url: URL, host: string): SslReading {
  const given = url.searchParams.get("sslmode");
  const sslrootcert = url.searchParams.get("sslrootcert") ?? undefined;
  const local = host.startsWith("/") || isThisMachine(host.toLowerCase());
  const modes = "one of disable, require, verify-ca, verify-full";
  // libpq's default is `prefer`, which anyone on the way can turn into plaintext; so a distant host has to say.
  if (given === null && !local) return refused("no sslmode", `sslmode=verify-full, or another ${modes}`);
  const sslmode = given ?? "disable";
  // libpq ignores sslmode on a unix socket; a mode that does not hold is refused instead.
  if (host.startsWith("/") && sslmode !== "disable")
    return refused("an sslmode on a unix socket", "no sslmode: a unix socket has no TLS");
  switch (sslmode) {
    case "allow":
    case "prefer":
      return refused(
        `sslmode=${sslmode}, which falls back to plaintext when someone on the way says so`,
        modes,
      );
    case "disable":
      if (sslrootcert !== undefined)
        return refused("sslrootcert without TLS", "sslmode=verify-full, or no sslrootcert");
      return { kind: "ssl", ssl: { sslmode, sslrootcert } };
    case "require":
      // libpq would quietly make this verify-ca.
      if (sslrootcert !== undefined)
        return refused(
          "sslrootcert with sslmode=require, which verifies nothing",
          "sslmode=verify-ca or verify-full",
        );
      return { kind: "ssl", ssl: { sslmode, sslrootcert } };
    case "verify-ca":
      // Any public authority would do for any host: libpq refuses weak modes with sslrootcert=system too.
      if (sslrootcert === undefined || sslrootcert === "system")
        return refused(
          "sslmode=verify-ca without an authority of your own",
          "sslrootcert=<file>, or sslmode=verify-full",
        );
      return { kind: "ssl", ssl: { sslmode, sslrootcert } };
    case "verify-full":
      return { kind: "ssl", ssl: { sslmode, sslrootcert } };
    default:
      return refused(
        "an unknown sslmode",
        oneOf(sslmode, ["disable", "require", "verify-ca", "verify-full"]),
      );
  }
}

function refused(found: string, expected: string): { kind: "refused"; found: string; expected: string } {
  return { kind: "refused", found, expected };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
