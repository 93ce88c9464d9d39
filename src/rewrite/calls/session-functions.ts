import type { FuncCall, Node } from "@pgsql/types";
import { refuse } from "../../errors.ts";
import { quoteLiteral } from "../../sql/names.ts";
import { channelAllowed } from "../session/channels.ts";
import { constantString } from "../text/constant-string.ts";
import { become, expressionTree } from "../text/fragment.ts";
import { edit, type Judgement } from "../judgement.ts";
import { readsListedSetting } from "../catalogs/listed-settings.ts";
import { hiddenSetting } from "../catalogs/shown-settings.ts";
import { indexOf } from "../text/source.ts";

/**
 * `current_setting('name')` is SHOW as an expression: what may be shown is told by the name.
 * @throws RolegateError function_not_allowed
 */
export function judgeSettingRead(judgement: Judgement, call: FuncCall): void {
  const { grants } = judgement.context;
  const [argument] = call.args ?? [];
  const name = constantString(argument);
  if (name === undefined && readsListedSetting(call)) return undefined;
  const problem =
    name === undefined ? "The setting has to be named in the text." : hiddenSetting(name, grants);
  if (problem !== undefined)
    refuse("function_not_allowed", "permission denied for function current_setting", {
      detail: problem,
      hint: `functions.allow in ${grants.file} can allow current_setting for all settings.`,
    });
  // The login is rolegate's own; towards a client the session's user is its role.
  if (name?.toLowerCase() === "session_authorization") replace(judgement, argument!, "'role'");
  return undefined;
}

/** @throws RolegateError function_not_allowed */
export function judgeNotification(judgement: Judgement, { args }: FuncCall): void {
  const { file, session } = judgement.context.grants;
  const [argument] = args ?? [];
  if (argument !== undefined && "ParamRef" in argument && session.notify.length > 0)
    return checkParameter(judgement, argument, argument.ParamRef.number ?? 0);
  const channel = constantString(argument);
  if (channel === undefined || !channelAllowed(channel, session.notify))
    refuse("function_not_allowed", "permission denied for function pg_notify", {
      detail:
        channel === undefined ? "The channel has to be named in the text." : `The role may not notify it.`,
      hint: `session.notify in ${file} can allow it.`,
    });
  return undefined;
}

/**
 * Drivers give the channel as a parameter: `pg_notify($1, $2)`. Where it is none of the role's it becomes NULL, for which the
 * server has an error of its own.
 */
function checkParameter(judgement: Judgement, node: Node, number: number): void {
  const { file, session } = judgement.context.grants;
  const channel = `$${number}::pg_catalog.text`;
  const allowed = session.notify.map((pattern) =>
    pattern.endsWith("*")
      ? `pg_catalog.starts_with(${channel}, ${quoteLiteral(pattern.slice(0, -1))})`
      : `${channel} OPERATOR(pg_catalog.=) ${quoteLiteral(pattern)}`,
  );
  judgement.hints.set("22023", `session.notify in ${file} lists the channels: ${session.notify.join(", ")}.`);
  replace(judgement, node, `CASE WHEN ${allowed.join(" OR ")} THEN ${channel} END`);
}

/** Puts an expression of ours in the place of a constant or a parameter. */
function replace(judgement: Judgement, node: Node, text: string): void {
  const { source, context } = judgement;
  const { location = 0 } = Object.values(node)[0] as { location?: number };
  const token = source.tokens[indexOf(source, location)]!;
  edit(judgement, token.start, token.end, text);
  become(node, expressionTree(context.parser, text));
}
