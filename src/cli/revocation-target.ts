import { visible } from "../audit/escape.ts";
import { tokenDigest } from "../identity/token-digest.ts";
import type { NewRevocation } from "../store/revocations.ts";

/** The options that say what is to be taken away. */
export type TargetOptions = {
  readonly session?: string;
  readonly token?: string;
  readonly key?: string;
  readonly certificate?: string;
  readonly role?: string;
  readonly issuer?: string;
  readonly database?: string;
  readonly until?: string;
};

type Target = Pick<NewRevocation, "kind" | "value" | "issuer" | "database" | "until">;

/**
 * What a command line says is to be taken away.
 * @param known the issuers of the configuration; the time in milliseconds since the epoch
 * @throws Error for anything but one thing, or for what goes with another one
 */
export function readTarget(
  name: string | undefined,
  options: TargetOptions,
  { issuers, now }: { readonly issuers: readonly string[]; readonly now: number },
): Target {
  const { session, token, key, certificate, role, issuer, database } = options;
  const given = Object.entries({ name, session, token, key, certificate, role }).flatMap(([kind, value]) =>
    value === undefined ? [] : [{ kind: kind as Target["kind"], value }],
  );
  const [one, another] = given;
  if (one === undefined || another !== undefined)
    throw new Error(
      `found ${given.length === 0 ? "nothing" : given.map(({ kind }) => kind).join(" and ")} to revoke, ` +
        "expected one of: a name, --session, --token, --key, --certificate, --role",
    );
  const { kind } = one;
  if (issuer !== undefined && kind !== "token" && kind !== "key")
    throw new Error("--issuer goes with --token or --key");
  if (database !== undefined && kind !== "role") throw new Error("--database goes with --role");
  const value = valueOf(one);
  if (value === "" || value.length > 1024 || value.includes("\0"))
    throw new Error(`${kind}: expected 1 to 1024 characters`);
  return {
    kind,
    value,
    issuer: kind === "key" ? (issuer ?? onlyOne(issuers)) : issuer,
    database,
    until: readUntil(options.until, now),
  };
}

function valueOf({ kind, value }: Pick<Target, "kind" | "value">): string {
  // Whoever has the token at hand need not take it apart; it is a secret, so its digest goes on.
  if (kind === "token" && value.split(".").length === 3 && value.startsWith("ey")) return tokenDigest(value);
  if (kind !== "certificate") return value;
  const fingerprint = value.replaceAll(":", "").toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(fingerprint))
    throw new Error(`--certificate: found ${visible(value)}, expected a SHA-256 fingerprint: 64 hex digits`);
  return fingerprint;
}

/** Two issuers may call their keys alike. */
function onlyOne(issuers: readonly string[]): string {
  const [first, ...more] = issuers;
  if (first !== undefined && more.length === 0) return first;
  throw new Error(
    `--issuer: found none, expected whose key it is: one of ${issuers.join(", ") || "no issuers"}`,
  );
}

const units: Readonly<Partial<Record<string, number>>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `30m`, `8h` and `7d` from now, or a date or time in UTC. */
function readUntil(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const [, count, unit] = /^([1-9]\d{0,4})([mhd])$/.exec(text) ?? [];
  const isTime = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?)?$/.test(text);
  const zoned = /T.*(Z|[+-]\d{2}:\d{2})$/.test(text) || !text.includes("T") ? text : `${text}Z`;
  const time =
    count !== undefined ? now + Number(count) * units[unit ?? ""]! : isTime ? Date.parse(zoned) : Number.NaN;
  if (time > now) return time;
  throw new Error(
    `--until: found ${visible(text)}, expected a time to come: 30m, 8h, 7d, 2026-12-31 or a full time`,
  );
}
