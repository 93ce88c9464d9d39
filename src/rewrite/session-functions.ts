import type { FuncCall } from "@pgsql/types";
import { refuse } from "../errors.ts";
import { channelAllowed } from "./channels.ts";
import { constantString } from "./constant-string.ts";
import type { Judgement } from "./judgement.ts";
import { hiddenSetting } from "./shown-settings.ts";

/**
 * `current_setting('name')` is SHOW as an expression: what may be shown is told by the name.
 * @throws RolegateError function_not_allowed
 */
export function judgeSettingRead({ context: { grants } }: Judgement, { args }: FuncCall): void {
  const name = constantString(args?.[0]);
  const problem =
    name === undefined ? "The setting has to be named in the text." : hiddenSetting(name, grants);
  if (problem !== undefined)
    refuse("function_not_allowed", "permission denied for function current_setting", {
      detail: problem,
      hint: `functions.allow in ${grants.file} can allow current_setting for all settings.`,
    });
}

/** @throws RolegateError function_not_allowed */
export function judgeNotification({ context: { grants } }: Judgement, { args }: FuncCall): void {
  const channel = constantString(args?.[0]);
  if (channel === undefined || !channelAllowed(channel, grants.session.notify))
    refuse("function_not_allowed", "permission denied for function pg_notify", {
      detail:
        channel === undefined ? "The channel has to be named in the text." : `The role may not notify it.`,
      hint: `session.notify in ${grants.file} can allow it.`,
    });
}
