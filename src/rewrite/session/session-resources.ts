import type { ListenStmt, Node, NotifyStmt, TransactionStmt, VariableShowStmt } from "@pgsql/types";
import { refuse } from "../../errors.ts";
import { gidPrefix, longestGid } from "../../policy/prepared-transactions.ts";
import { quoteLiteral } from "../../sql/names.ts";
import { channelAllowed } from "./channels.ts";
import { become } from "../text/fragment.ts";
import { edit, type Judgement } from "../judgement.ts";
import { hiddenSetting, secretSettings } from "../catalogs/shown-settings.ts";
import { endBefore, endIndex, indexFrom, startOf } from "../text/source.ts";

/** LISTEN: notifications are rows of nobody's, so channels have rules of their own. @throws RolegateError statement_not_allowed */
export function judgeListen({ context: { grants } }: Judgement, { conditionname }: ListenStmt): void {
  judgeChannel(conditionname ?? "", grants.session.listen, "listen on", `session.listen in ${grants.file}`);
}

/** NOTIFY; the payload is the client's own. @throws RolegateError statement_not_allowed */
export function judgeNotify({ context: { grants } }: Judgement, { conditionname }: NotifyStmt): void {
  judgeChannel(conditionname ?? "", grants.session.notify, "notify", `session.notify in ${grants.file}`);
}

function judgeChannel(channel: string, allowed: readonly string[], verb: string, key: string): void {
  if (channelAllowed(channel, allowed)) return;
  refuse("statement_not_allowed", `permission denied to ${verb} channel "${channel}"`, {
    detail:
      allowed.length === 0 ? `The role has no channels: ${key} lists none.` : `${key} does not list it.`,
    hint:
      allowed.length === 0
        ? "Whoever keeps the role file can list the channel there."
        : `It lists: ${allowed.join(", ")}.`,
  });
}

/** Words in front of the identifier: `PREPARE TRANSACTION 'gid'`. */
const wordsBefore = 2;

/**
 * PREPARE TRANSACTION, COMMIT PREPARED, ROLLBACK PREPARED. The identifier is sent with the identity's prefix, so that nobody
 * finishes another identity's transaction.
 * @param start byte offset of the statement.
 * @throws RolegateError statement_not_allowed
 */
export function judgeTwoPhase(
  judgement: Judgement,
  transaction: TransactionStmt,
  name: string,
  start: number,
): void {
  const { source, context } = judgement;
  const { grants } = context;
  if (!grants.session.twoPhase)
    refuse("statement_not_allowed", `${name} is not allowed`, {
      detail: `Role "${grants.role}" may not leave transactions behind.`,
      hint: `session.two_phase in ${grants.file} can allow it.`,
    });
  const gid = `${gidPrefix(grants.origin.identity.name)}${transaction.gid ?? ""}`;
  if (Buffer.byteLength(gid) > longestGid)
    refuse("statement_not_allowed", "transaction identifier is too long", {
      detail: `With the identity's name in front of it it has ${Buffer.byteLength(gid)} bytes; the server takes ${longestGid}.`,
      hint: "Use a shorter one.",
    });
  const first = indexFrom(source, start);
  edit(
    judgement,
    startOf(source, first + wordsBefore),
    endBefore(source, endIndex(source, first)),
    quoteLiteral(gid),
  );
  transaction.gid = gid;
}

/** SHOW. @param start byte offset of the statement. @throws RolegateError setting_not_allowed */
export function judgeShow(
  judgement: Judgement,
  node: { VariableShowStmt: VariableShowStmt },
  start: number,
): void {
  const { VariableShowStmt: show } = node;
  const { source, context } = judgement;
  const name = show.name ?? "";
  if (name === "all") return showAll(judgement, node, start);
  const hidden = hiddenSetting(name, context.grants);
  if (hidden !== undefined)
    refuse("setting_not_allowed", `permission denied to examine "${name}"`, {
      detail: hidden,
      hint: `settings.allow in ${context.grants.file} can open it.`,
    });
  if (name.toLowerCase() !== "session_authorization") return undefined;
  // The login is rolegate's own; towards a client the session's user is its role.
  const first = indexFrom(source, start);
  edit(judgement, startOf(source, first + 1), endBefore(source, endIndex(source, first)), "role");
  show.name = "role";
  return undefined;
}

const shownAll = `SELECT name, pg_catalog.current_setting(name) AS setting, short_desc AS description FROM pg_catalog.pg_settings
  WHERE name OPERATOR(pg_catalog.<>) ALL ('{${secretSettings.join(",")}}') ORDER BY pg_catalog.lower(name)`;

/** SHOW ALL, without what SHOW would not show. */
function showAll(judgement: Judgement, node: Node, start: number): void {
  const { source, context } = judgement;
  judgement.relations.add("pg_catalog.pg_settings");
  const first = indexFrom(source, start);
  edit(judgement, startOf(source, first), endBefore(source, endIndex(source, first)), shownAll);
  const parsed = context.parser.parse(shownAll);
  if (parsed.kind !== "parsed") refuse("internal", "a rewritten SHOW ALL does not parse");
  become(node, parsed.statements[0]!.stmt!);
}
