import type { FuncCall, Node, ResTarget } from "@pgsql/types";
import { refuse } from "../errors.ts";
import type { Catalog, FunctionFacts } from "../catalog/catalog.ts";
import type { Grants } from "../policy/grants.ts";
import { quoteIdentifier } from "../sql/names.ts";
import { isCatalogSchema } from "./catalog-relations.ts";
import { lastName, nameParts } from "./dotted-name.ts";
import { become, expressionTree } from "./fragment.ts";
import { blankedFunctions, functionClass } from "./function-classes.ts";
import { edit, unsupported, type Judgement } from "./judgement.ts";
import { settingProblem } from "./settings.ts";
import { closingIndex, indexAfterName } from "./source.ts";

/**
 * Judges one call. Every function that the name could mean must be allowed, whatever the search path and the types
 * of the arguments choose in the end.
 * @returns true if the call was replaced as a whole, arguments included.
 * @throws RolegateError function_not_allowed
 */
export function judgeFunction(judgement: Judgement, node: Node, call: FuncCall): boolean {
  const { catalog, grants } = judgement.context;
  const names = nameParts(call.funcname);
  const name = names.at(-1) ?? "";
  if (names.length > 2) unsupported("a function name with a database");
  const schema = names.length === 2 ? names[0] : undefined;
  const candidates = (catalog.functions.get(name) ?? []).filter(
    (found) => schema === undefined || found.schema === schema,
  );
  const shown = names.join(".");
  if (candidates.length === 0) {
    judgement.unresolved = true;
    deny(grants, shown, "No function of this name is known.");
  }
  if (setsAllowed(judgement, name, call, candidates)) return false;
  const denied = candidates.flatMap((candidate) => {
    const reason = reasonAgainst(candidate, candidates, grants);
    return reason === undefined ? [] : [{ candidate, reason }];
  });
  const own = candidates.filter((found) => found.schema === "pg_catalog");
  if (
    denied.length > 0 &&
    own.length > 0 &&
    schema === undefined &&
    denied.every(({ candidate }) => !own.includes(candidate))
  )
    qualifyCall(judgement, call);
  else if (denied.length > 0) deny(grants, shown, denied[0]!.reason);
  if (!blankedFunctions.has(name) || own.length === 0) return false;
  blank(judgement, node, call);
  return true;
}

function reasonAgainst(
  candidate: FunctionFacts,
  all: readonly FunctionFacts[],
  grants: Grants,
): string | undefined {
  const { schema, name } = candidate;
  if (!isCatalogSchema(schema)) {
    if (grants.functions.has(`${schema}.${name}`) || grants.functions.has(name)) return undefined;
    // Extensions overload the server's own functions for their types (citext: max, replace, …).
    const overload = all.some((found) => found.schema === "pg_catalog");
    if (candidate.extension !== undefined && candidate.volatility !== "v" && overload) return undefined;
    return `${schema}.${name} is not one of the server's own functions, and ${grants.file} does not allow it by name.`;
  }
  if (blankedFunctions.has(name)) return undefined;
  const danger = functionClass(name);
  if (danger === "harmless") return undefined;
  const volatile = all.some((found) => isCatalogSchema(found.schema) && found.volatility === "v");
  if (danger === undefined && !volatile) return undefined;
  if (grants.functions.has(`${schema}.${name}`) || grants.functions.has(name)) return neverAllowed(danger);
  return danger === undefined
    ? "It is volatile and not known to be harmless."
    : `Functions of its kind are refused: ${danger}.`;
}

/** A role file may open a sequence or a lock; it cannot open what would lift the rules themselves. */
function neverAllowed(danger: ReturnType<typeof functionClass>): string | undefined {
  return danger === "runs SQL" || danger === "reads by name" || danger === "changes the session"
    ? `It would go past the rules, so no role file can allow it: ${danger}.`
    : undefined;
}

function deny(grants: Grants, shown: string, detail: string): never {
  refuse("function_not_allowed", `permission denied for function ${shown}`, {
    detail,
    hint: `Role "${grants.role}" may use the server's own functions that only compute values${grants.functions.size > 0 ? `, and ${[...grants.functions].toSorted().join(", ")}` : ""}.`,
  });
}

/**
 * `set_config('name', 'value', …)` with a name and a value that stand in the text is SET as an expression, which
 * drivers use to get the old value in the same trip. search_path is left out: the session would not follow it.
 */
function setsAllowed(
  { context }: Judgement,
  name: string,
  { args }: FuncCall,
  candidates: readonly FunctionFacts[],
): boolean {
  if (
    name !== "set_config" ||
    args?.length !== 3 ||
    candidates.some((found) => found.schema !== "pg_catalog")
  )
    return false;
  const [setting, value] = args.map(constantString);
  if (setting === undefined || value === undefined || setting.toLowerCase() === "search_path") return false;
  return settingProblem(setting, value, context.grants) === undefined;
}

function constantString(node: Node): string | undefined {
  if (!("A_Const" in node)) return undefined;
  const { sval } = node.A_Const as { sval?: { sval?: string } };
  return sval === undefined ? undefined : (sval.sval ?? "");
}

/** Somebody's function of the same name is not allowed, the server's own is: the call is made to mean that one. */
function qualifyCall(judgement: Judgement, call: FuncCall): void {
  const at = call.location ?? 0;
  edit(judgement, at, at, "pg_catalog.");
  call.funcname = [{ String: { sval: "pg_catalog" } }, ...(call.funcname ?? [])];
}

/** A column that is a blanked call keeps the name that the call would have given it. */
export function nameBlanked(judgement: Judgement, target: ResTarget): void {
  const call = target.val !== undefined && "FuncCall" in target.val ? target.val.FuncCall : undefined;
  const name = lastName(call?.funcname) ?? "";
  if (
    target.val === undefined ||
    call === undefined ||
    target.name !== undefined ||
    !blankedFunctions.has(name)
  )
    return;
  if (!judgeFunction(judgement, target.val, call)) return;
  const close = closingIndex(judgement.source, indexAfterName(judgement.source, call.location ?? 0));
  const end = judgement.source.tokens[close]!.end;
  edit(judgement, end, end, ` AS ${quoteIdentifier(name)}`);
  target.name = name;
}

function blank(judgement: Judgement, node: Node, call: FuncCall): void {
  const { source } = judgement;
  const start = call.location ?? 0;
  const close = closingIndex(source, indexAfterName(source, start));
  const text = "NULL::pg_catalog.int8";
  edit(judgement, start, source.tokens[close]!.end, text);
  become(node, expressionTree(judgement.context.parser, text));
}

/**
 * `a.b` and `(a).b` call function b on a where a has no column b, whatever a's type. True if some function that the
 * role may not call could be meant.
 */
export function couldCallDenied(catalog: Catalog, grants: Grants, name: string): boolean {
  const candidates = catalog.functions.get(name) ?? [];
  return (
    blankedFunctions.has(name) ||
    candidates.some((found) => reasonAgainst(found, candidates, grants) !== undefined)
  );
}
