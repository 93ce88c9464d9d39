import type { FuncCall, Node, SelectStmt } from "@pgsql/types";
import { refuse, RolegateError } from "../../errors.ts";
import { parseSearchPath } from "../../sql/search-path.ts";
import { constantString } from "../text/constant-string.ts";
import { lastName } from "../text/dotted-name.ts";
import { edit, type Judgement } from "../judgement.ts";
import { searchPathProblem } from "./known-schemas.ts";
import { pinOf, pinProblem, saysTheSame } from "./pinned-setting.ts";
import { isCut, movesRules, settingProblem } from "./settings.ts";
import { indexOf } from "../text/source.ts";

/** What the place of a call tells of it. */
type Place = {
  /** It runs exactly once if the statement runs. */
  readonly certain: boolean;
  /** The setting, where the statement's condition names it. */
  readonly setting: string | undefined;
};

const places = new WeakMap<FuncCall, Place>();

/**
 * Looks for calls of set_config in a SELECT where they run once and for all: in the list of one that has nothing else. Also
 * knows pg_dump's way to set what older servers do not have:
 * `SELECT set_config(name, 'value', false) FROM pg_settings WHERE name = 'setting'`.
 */
export function placeSetConfigs(select: SelectStmt): void {
  const { targetList, fromClause, whereClause, limitOption, op, ...more } = select;
  if (Object.keys(more).length > 0 || (limitOption ?? "LIMIT_OPTION_DEFAULT") !== "LIMIT_OPTION_DEFAULT")
    return;
  if ((op ?? "SETOP_NONE") !== "SETOP_NONE") return;
  const calls = (targetList ?? []).map((node) => callOf(node));
  if (fromClause === undefined && whereClause === undefined) {
    for (const call of calls) if (call !== undefined) places.set(call, { certain: true, setting: undefined });
    return;
  }
  const [call] = calls;
  const setting = settingNamed(fromClause, whereClause);
  if (calls.length === 1 && call !== undefined && setting !== undefined && isColumnName(call.args?.[0]))
    places.set(call, { certain: false, setting });
}

function callOf(node: Node): FuncCall | undefined {
  const value = "ResTarget" in node ? node.ResTarget.val : undefined;
  const call = value !== undefined && "FuncCall" in value ? value.FuncCall : undefined;
  return call !== undefined && lastName(call.funcname) === "set_config" ? call : undefined;
}

/** The setting of `FROM pg_settings WHERE name = 'setting'`. */
function settingNamed(from: readonly Node[] | undefined, where: Node | undefined): string | undefined {
  const [item] = from ?? [];
  if (from?.length !== 1 || item === undefined || !("RangeVar" in item)) return undefined;
  const { schemaname = "pg_catalog", relname, alias } = item.RangeVar;
  if (schemaname !== "pg_catalog" || relname !== "pg_settings" || alias !== undefined) return undefined;
  if (where === undefined || !("A_Expr" in where)) return undefined;
  const { kind, name, lexpr, rexpr } = where.A_Expr;
  if (kind !== "AEXPR_OP" || name?.length !== 1 || lastName(name) !== "=" || !isColumnName(lexpr))
    return undefined;
  return constantString(rexpr);
}

function isColumnName(node: Node | undefined): boolean {
  return (
    node !== undefined &&
    "ColumnRef" in node &&
    node.ColumnRef.fields?.length === 1 &&
    lastName(node.ColumnRef.fields) === "name"
  );
}

const defining = new WeakSet<Judgement>();

/**
 * Judges a definition. What is stored in one (a view's query, a default, a check) runs for whoever comes by, under rules of
 * theirs that may depend on the setting, so there is no set_config in it.
 */
export function withoutSetConfig<Result>(judgement: Judgement, judge: () => Result): Result {
  defining.add(judgement);
  try {
    return judge();
  } finally {
    defining.delete(judgement);
  }
}

/**
 * `set_config('name', value, is_local)` is SET as an expression; drivers use it to get the old value in the same trip, and
 * applications to tell the database who their user is. The name has to stand in the text, and so does a value of which
 * not every one may be set.
 * @throws RolegateError function_not_allowed, setting_not_allowed
 */
export function judgeSetConfig(judgement: Judgement, call: FuncCall): void {
  const { context } = judgement;
  const [nameNode, valueNode, local] = call.args ?? [];
  const place = places.get(call);
  if (defining.has(judgement))
    refuse("function_not_allowed", "permission denied for function set_config", {
      detail: "What a definition holds runs for others too, and would change the settings of their sessions.",
      hint: "Use SET in the session.",
    });
  const name = constantString(nameNode) ?? place?.setting;
  if (name === undefined || call.args?.length !== 3)
    refuse("function_not_allowed", "permission denied for function set_config", {
      detail: "The setting has to be named in the text.",
      hint: "Use SET, or set_config with the name as a constant.",
    });
  const setting = name.toLowerCase();
  const value = constantString(valueNode);
  const computed = value === undefined;
  const problem = settingProblem(name, value, context.grants, computed);
  if (problem !== undefined) throw new RolegateError(problem);
  const pin = pinOf(context, setting);
  if (pin !== undefined) {
    const inForce = context.pinned?.get(setting);
    const same =
      !computed && inForce !== undefined && saysTheSame(setting, value, inForce, context.grants.role);
    if (!same) throw new RolegateError(pinProblem(name, pin, inForce));
    return setDefault(judgement, valueNode!);
  }
  if (movesRules(setting)) judgement.sets.add(setting);
  if (setting === "search_path") setPath(judgement, value!, local, place);
}

/** NULL brings the default back, which is the value that is in force. */
function setDefault(judgement: Judgement, node: Node): void {
  const { source } = judgement;
  const at = (node as { A_Const: { location?: number } }).A_Const.location ?? 0;
  const token = source.tokens[indexOf(source, at)]!;
  edit(judgement, token.start, token.end, "NULL");
  const constant = (node as { A_Const: Record<string, unknown> }).A_Const;
  delete constant["sval"];
  constant["isnull"] = true;
}

function setPath(
  judgement: Judgement,
  value: string,
  local: Node | undefined,
  place: Place | undefined,
): void {
  const { context } = judgement;
  const isLocal = booleanOf(local);
  const path = isCut(value) ? undefined : parseSearchPath(value, context.grants.role);
  if (place?.certain !== true || isLocal === undefined || path === undefined || judgement.path !== undefined)
    refuse("function_not_allowed", "permission denied for function set_config", {
      detail: "rolegate must know the search_path under which each statement is read.",
      hint: "Use SET search_path, or SELECT set_config('search_path', 'schema, …', false) with nothing beside it.",
    });
  const problem = searchPathProblem(path, context);
  if (problem !== undefined) throw new RolegateError(problem);
  judgement.path = { kind: "search-path", path, local: isLocal };
}

function booleanOf(node: Node | undefined): boolean | undefined {
  if (node === undefined || !("A_Const" in node)) return undefined;
  const { boolval } = node.A_Const as { boolval?: { boolval?: boolean } };
  return boolval === undefined ? undefined : (boolval.boolval ?? false);
}
