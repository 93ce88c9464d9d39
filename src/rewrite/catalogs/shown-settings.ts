import { neverSettable, opensSetting } from "../../policy/never-settable.ts";
import type { Grants } from "../../policy/grants.ts";
import { quoteLiteral } from "../../sql/names.ts";

/**
 * Settings of the server that may hold passwords or keys and that it shows to everybody: commands, for the shell.
 * primary_conninfo and ssl_passphrase_command it shows to superusers only.
 */
export const secretSettings = [
  "archive_command",
  "archive_cleanup_command",
  "recovery_end_command",
  "restore_command",
  "primary_conninfo",
  "ssl_passphrase_command",
];

/**
 * May a client see a setting? One with a dot in its name belongs to an application, and ALTER ROLE and ALTER DATABASE
 * put keys for signing tokens and the like there; so it is shown if the role may set it.
 * @returns what to tell the client if not.
 */
export function hiddenSetting(name: string, grants: Grants): string | undefined {
  const setting = name.toLowerCase();
  if (opensSetting(grants.settings, setting)) return undefined;
  if (secretSettings.includes(setting)) return `The setting ${setting} can hold secrets.`;
  if (setting.includes(".") && !setting.startsWith("rolegate."))
    return `Settings of applications can hold secrets; settings.allow in ${grants.file} does not list ${setting}.`;
  return undefined;
}

/**
 * The same question for a name that only the database knows.
 * @param name an SQL expression of type text without side effects.
 * @returns an SQL condition; the login's name, which hiddenSetting leaves to others, is not shown either.
 */
export function shownSettingSql(name: string, grants: Grants): string {
  // Names are compared without the case of ASCII letters (guc_name_compare, guc.c), whatever the database's locale.
  const lower = `pg_catalog.lower(${name} COLLATE pg_catalog."C")`;
  const opened = [...grants.settings].filter((setting) => !neverSettable(setting));
  const isOneOf = (names: readonly string[]): string =>
    `${lower} OPERATOR(pg_catalog.=) ANY (ARRAY[${names.map(quoteLiteral).join(", ")}]::pg_catalog.text[])`;
  const families = opened.filter((setting) => setting.endsWith(".*")).map((setting) => setting.slice(0, -1));
  const shown = [
    ...["rolegate.", ...families].map(
      (prefix) => `pg_catalog.starts_with(${lower}, ${quoteLiteral(prefix)})`,
    ),
    isOneOf(opened),
    `pg_catalog.strpos(${name}, '.') OPERATOR(pg_catalog.=) 0 AND NOT ${isOneOf([...secretSettings, "session_authorization"])}`,
  ];
  return `(${shown.join(" OR ")})`;
}
