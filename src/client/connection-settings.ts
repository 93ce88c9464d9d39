import { isThisMachine } from "../identity/loopback.ts";
import type { Place } from "./context.ts";

/** How a program connects, in libpq's environment variables (PostgreSQL documentation, "Environment Variables"). */
export type ConnectionSettings = {
  readonly PGHOST: string;
  readonly PGPORT: string;
  readonly PGDATABASE: string;
  readonly PGUSER: string;
  readonly PGPASSWORD: string;
  readonly PGSSLMODE: string;
  readonly PGSSLROOTCERT?: string;
};

/**
 * @param user the person's name, or the role that they ask for
 * @throws Error where the token would go to a server that nobody has verified
 */
export function connectionSettings(place: Place, user: string, token: string): ConnectionSettings {
  const { host, port, database, sslmode, sslrootcert } = place;
  const verified = sslmode === "verify-full" || sslmode === "verify-ca";
  if (!verified && !isThisMachine(host))
    throw new Error(
      `--sslmode: found ${sslmode}, expected verify-full or verify-ca: the token would go to whoever answers for ${host}`,
    );
  return {
    PGHOST: host,
    PGPORT: String(port),
    PGDATABASE: database,
    PGUSER: user,
    PGPASSWORD: token,
    PGSSLMODE: sslmode,
    ...(sslrootcert === undefined ? {} : { PGSSLROOTCERT: sslrootcert }),
  };
}

/** Taken out of a program's environment: each of them would lead it, and the token, elsewhere. */
export const misleading = ["PGHOSTADDR", "PGSERVICE", "PGSERVICEFILE"] as const;

/** The settings as text for other tools, the token among them. */
export const printed = {
  env: (settings: ConnectionSettings): string =>
    Object.entries(settings)
      .map(([name, value]) => `export ${name}='${value.replaceAll("'", String.raw`'\''`)}'`)
      .join("\n"),
  uri: (settings: ConnectionSettings): string => {
    const login = `${encodeURIComponent(settings.PGUSER)}:${encodeURIComponent(settings.PGPASSWORD)}`;
    return `postgresql://${login}@${addressOf(settings)}?${query(settings, {})}`;
  },
  jdbc: (settings: ConnectionSettings): string => {
    const login = { user: settings.PGUSER, password: settings.PGPASSWORD };
    return `jdbc:postgresql://${addressOf(settings)}?${query(settings, login)}`;
  },
} as const;

function addressOf({ PGHOST, PGPORT, PGDATABASE }: ConnectionSettings): string {
  const host = PGHOST.includes(":") ? `[${PGHOST}]` : encodeURIComponent(PGHOST);
  return `${host}:${PGPORT}/${encodeURIComponent(PGDATABASE)}`;
}

function query(
  { PGSSLMODE, PGSSLROOTCERT }: ConnectionSettings,
  more: Readonly<Record<string, string>>,
): string {
  return Object.entries({
    ...more,
    sslmode: PGSSLMODE,
    ...(PGSSLROOTCERT === undefined ? {} : { sslrootcert: PGSSLROOTCERT }),
  })
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join("&");
}
