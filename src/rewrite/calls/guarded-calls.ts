import type { FuncCall, Node } from "@pgsql/types";
import type { Grants } from "../../policy/grants.ts";
import { castString, constantString } from "../text/constant-string.ts";
import { lastName, nameParts } from "../text/dotted-name.ts";
import { become, expressionTree, hole } from "../text/fragment.ts";
import { isNamed } from "./function-rulings.ts";
import { judgeFunction } from "./functions.ts";
import { edit, type Judgement } from "../judgement.ts";
import { readsListedSetting } from "../catalogs/listed-settings.ts";
import { shownSettingSql } from "../catalogs/shown-settings.ts";
import { closingIndex, commaIndex, endBefore, indexAfterName, startOf } from "../text/source.ts";

const texts: ReadonlySet<string> = new Set(["text", "varchar", "regclass"]);

/**
 * Judges a call.
 * @param visit judges what of a rewritten call still runs.
 * @returns true if nothing of it is left to be visited.
 * @throws RolegateError function_not_allowed
 */
export function judgeCall(
  judgement: Judgement,
  node: Node,
  call: FuncCall,
  visit: (part: Node) => void,
): boolean {
  const running = guardCall(judgement, node, call);
  if (running === undefined) return judgeFunction(judgement, node, call);
  for (const part of running) visit(part);
  return true;
}

/**
 * Calls that are judged by what an argument names, where the text does not tell: tools ask for the setting that a
 * parameter names and for the position of every sequence that a catalog lists. The first is asked in the database,
 * the second is not told.
 * @returns the nodes of the call that still run, to be judged; undefined: it is none of these.
 */
function guardCall(judgement: Judgement, node: Node, call: FuncCall): readonly Node[] | undefined {
  const [argument, second, ...more] = call.args ?? [];
  const name = lastName(call.funcname) ?? "";
  if (argument === undefined || more.length > 0 || !isServers(judgement, call, name)) return undefined;
  if (name === "pg_sequence_last_value" && second === undefined)
    return castString(argument, texts) === undefined ? hideLastValue(judgement, node, call) : undefined;
  if (name !== "current_setting" || constantString(argument) !== undefined || readsListedSetting(call))
    return undefined;
  const missing = second === undefined ? "" : constantBoolean(second);
  return missing === undefined ? undefined : guardSetting(judgement, node, call, argument, missing);
}

/** True if the call can only mean a function of the server's that the role file does not name. */
function isServers({ context: { catalog, grants } }: Judgement, call: FuncCall, name: string): boolean {
  const { func_variadic: variadic, over, agg_filter: filter, agg_order: order } = call;
  if (variadic === true || over !== undefined || filter !== undefined || order !== undefined) return false;
  const schema = nameParts(call.funcname).at(-2);
  const known = catalog.functions.get(name) ?? [];
  if (schema === undefined ? known.some((found) => !found.own) : schema !== "pg_catalog") return false;
  return known.length > 0 && !isNamed(grants, { schema: "pg_catalog", name });
}

function constantBoolean(node: Node): string | undefined {
  if (!("A_Const" in node)) return undefined;
  const { boolval } = node.A_Const as { boolval?: { boolval?: boolean } };
  return boolval === undefined ? undefined : `, ${boolval.boolval === true}`;
}

function hideLastValue(judgement: Judgement, node: Node, call: FuncCall): readonly Node[] {
  const { source, context } = judgement;
  const start = call.location ?? 0;
  const close = closingIndex(source, indexAfterName(source, start));
  // A column without a name of its own keeps the function's.
  const text = "(SELECT NULL::pg_catalog.int8 AS pg_sequence_last_value)";
  edit(judgement, start, source.tokens[close]!.end, text);
  become(node, expressionTree(context.parser, text));
  return [];
}

/** The name is worked out once: another value the second time would show what the first was not asked for. */
function guardSetting(
  judgement: Judgement,
  node: Node,
  call: FuncCall,
  argument: Node,
  missing: string,
): readonly Node[] {
  const { source, context } = judgement;
  const start = call.location ?? 0;
  const open = indexAfterName(source, start);
  const close = closingIndex(source, open);
  const [prefix, suffix] = guardTexts(context.grants, missing);
  edit(judgement, start, startOf(source, open + 1), prefix);
  edit(judgement, endBefore(source, commaIndex(source, open + 1, close)), source.tokens[close]!.end, suffix);
  become(node, expressionTree(context.parser, `${prefix}${hole}${suffix}`, argument));
  return [argument];
}

function guardTexts(grants: Grants, missing: string): readonly [prefix: string, suffix: string] {
  const read = `pg_catalog.current_setting(asked.name${missing})`;
  return [
    `(SELECT CASE WHEN ${shownSettingSql("asked.name", grants)} THEN ${read} END AS current_setting FROM (SELECT (`,
    ")::pg_catalog.text AS name OFFSET 0) AS asked)",
  ];
}
