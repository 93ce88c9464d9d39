import { opensSetting } from "../policy/never-settable.ts";
import type { Grants } from "../policy/grants.ts";

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
