import { maxStartupPacket } from "../wire/limits.ts";
import type { ProtocolMinor } from "../wire/negotiate-protocol-version.ts";
import { int32 } from "../wire/writer.ts";

/** What a session asks of the server as it begins. */
export type SessionStart = {
  /** The database role in force; what RESET ROLE and DISCARD ALL return to. */
  readonly role: string;
  /** Nothing is kept from the role (verify-login.ts). */
  readonly unrestricted?: boolean;
  /** Settings by name; already judged. */
  readonly settings: ReadonlyMap<string, string>;
  readonly applicationName: string;
  /** Settings whose values are to be known from the start. */
  readonly asked?: readonly string[];
};

/**
 * The parameters of the upstream StartupMessage, written from these values alone: nothing of the client's own packet
 * and nothing from PG* environment variables gets into it.
 * @throws Error where a value could not travel: a NUL would end it and begin another parameter, and the server
 *   closes silently on a packet that is too long
 */
export function startupParameters(
  user: string,
  database: string,
  session: SessionStart,
): Readonly<Record<string, string>> {
  const parameters = {
    user,
    database,
    application_name: session.applicationName,
    options: startupOptions([
      // In place of what ALTER ROLE or ALTER DATABASE may have set.
      ["client_encoding", "UTF8"],
      ...session.settings,
      ["standard_conforming_strings", "on"],
      ["role", session.role],
    ]),
  };
  for (const [name, value] of Object.entries(parameters))
    if (value.includes("\0")) throw new Error(`${name} for the upstream connection holds a NUL byte`);
  const { length } = startupMessage(parameters);
  if (length > maxStartupPacket)
    throw new Error(
      `the upstream startup packet would have ${length} bytes; the server takes ${maxStartupPacket}`,
    );
  return parameters;
}

/** The StartupMessage (protocol chapter, "Message Formats") of 3.`minor` with these parameters, which hold no NUL byte. */
export function startupMessage(
  parameters: Readonly<Record<string, string>>,
  minor: ProtocolMinor = 0,
): Buffer {
  const words = Object.entries(parameters).flatMap(([name, value]) => [name, value]);
  const body = Buffer.from(`${words.join("\0")}\0\0`);
  return Buffer.concat([int32(4 + 4 + body.length), int32((3 << 16) | minor), body]);
}

/**
 * The `options` parameter that sets `settings`, as pg_split_opts of PostgreSQL's postinit.c reads it: words between
 * white space, a backslash before every backslash and white space inside of a word. The last of two equal names wins.
 * @throws Error for a name that is not one: it could hold `=` and set something else
 */
export function startupOptions(settings: Iterable<readonly [name: string, value: string]>): string {
  return [...settings].map(([name, value]) => `-c ${settingName(name)}=${escapeWord(value)}`).join(" ");
}

function settingName(name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)*$/.test(name))
    throw new Error("not the name of a setting");
  return name;
}

function escapeWord(value: string): string {
  return value.replaceAll(/[\\ \t\n\v\f\r]/g, "\\$&");
}
