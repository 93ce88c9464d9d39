import type { FuncCall, Node, RangeVar, ResTarget } from "@pgsql/types";
import { refuse } from "../../errors.ts";
import type { Catalog, FunctionFacts } from "../../catalog/catalog.ts";
import type { Grants } from "../../policy/grants.ts";
import type { FunctionClass } from "../../policy/server-functions/function-group.ts";
import { resolveRelation } from "../../catalog/resolve-relation.ts";
import { quoteIdentifier } from "../../sql/names.ts";
import { walk } from "../../sql/walk.ts";
import { lastName, nameParts } from "../text/dotted-name.ts";
import { become, expressionTree } from "../text/fragment.ts";
import { couldTake, namingRule, rulingOf, type Ruling } from "./function-rulings.ts";
import { edit, unsupported, type Judgement } from "../judgement.ts";
import { judgeType } from "./casts.ts";
import { judgeNamedType } from "./type-by-name.ts";
import { judgeSequenceCall } from "./sequence-calls.ts";
import { judgeNotification, judgeSettingRead } from "./session-functions.ts";
import { judgeSetConfig } from "../session/set-config.ts";
import { closingIndex, indexAfterName } from "../text/source.ts";
import { castTypes, reach } from "./value-origins.ts";

/**
 * Judges one call. Every function that the name could mean must be allowed, whatever the search path and the types
 * of the arguments choose in the end; so must a type of that name, where the call could be a cast.
 * @returns true if the call was replaced as a whole, arguments included.
 * @throws RolegateError function_not_allowed
 */
export function judgeFunction(judgement: Judgement, node: Node, call: FuncCall): boolean {
  const { grants } = judgement.context;
  const { name, schema, rulings, casts } = meaningOf(judgement, call);
  const shown = schema === undefined ? name : `${schema}.${name}`;
  if (casts) judgeType(judgement, { names: call.funcname ?? [] });
  else if (rulings.length === 0) {
    judgement.unresolved = true;
    deny(grants, shown, "No function of this name is known.");
  }
  if (name === "set_config" && rulings.every(isOwn)) {
    judgeSetConfig(judgement, call);
    return false;
  }
  const denied = rulings.find(({ ruling }) => ruling.kind === "refuse")?.ruling;
  if (denied?.kind === "refuse") {
    // Somebody's function of the same name is not allowed, the server's own is: the call is made to mean that one.
    const open = ({ candidate, ruling }: RuledFunction): boolean =>
      ruling.kind !== "refuse" || candidate.schema !== "pg_catalog";
    if (schema !== undefined || !rulings.some(isOwn) || !rulings.every(open))
      deny(grants, shown, denied.reason);
    qualifyCall(judgement, call);
  }
  for (const { candidate } of rulings)
    for (const type of candidate.gives)
      for (const held of reach(judgement.context.catalog, type)) judgement.about.types.add(held);
  for (const { candidate, ruling } of rulings) {
    const rule = ruling.kind === "run" ? namingRule(grants, candidate) : undefined;
    if (rule !== undefined) judgement.rules.add(rule);
  }
  const own = rulings.filter(isOwn);
  for (const { ruling } of own) if (ruling.kind === "judge") judgeArguments(judgement, ruling.class, call);
  const blanked = own.find(({ ruling }) => ruling.kind === "blank")?.ruling;
  if (blanked?.kind !== "blank") return false;
  blank(judgement, node, call, blanked.type);
  return true;
}

type RuledFunction = { readonly candidate: FunctionFacts; readonly ruling: Ruling };

type Meaning = {
  readonly name: string;
  readonly schema: string | undefined;
  readonly rulings: readonly RuledFunction[];
  /** It could be a cast to a type of this name. */
  readonly casts: boolean;
};

/** The functions that a call could mean, each with what becomes of it. */
function meaningOf({ context: { catalog, grants } }: Judgement, call: FuncCall): Meaning {
  const names = nameParts(call.funcname);
  if (names.length > 2) unsupported("a function name with a database");
  const [name = "", schema] = names.toReversed();
  const known = (catalog.functions.get(name) ?? []).filter(
    (found) => schema === undefined || found.schema === schema,
  );
  const fitting = known.filter((found) => couldTake(found, argumentCount(call)));
  const casts = call.args?.length === 1 && isCastable(catalog, names);
  // Where none fits, and no type does, the server has no such function either, and says so.
  const meant = fitting.length > 0 || casts ? fitting : known;
  return {
    name,
    schema,
    rulings: meant.map((candidate) => ({ candidate, ruling: rulingOf(candidate, known, grants) })),
    casts,
  };
}

/** Does the name mean a type to which a call can be a cast, whatever the argument is? */
function isCastable(catalog: Catalog, names: readonly string[]): boolean {
  const [name = "", schema = "pg_catalog"] = names.toReversed();
  return (schema === "pg_catalog" && catalog.builtinTypes.has(name)) || castTypes(catalog, names).length > 0;
}

function isOwn({ candidate }: RuledFunction): boolean {
  return candidate.own && candidate.schema === "pg_catalog";
}

/** How many arguments a call gives; undefined where the server spreads or gathers them. */
function argumentCount({ args, func_variadic, agg_within_group }: FuncCall): number | undefined {
  return func_variadic === true || agg_within_group === true ? undefined : (args?.length ?? 0);
}

/** @throws RolegateError function_not_allowed */
function judgeArguments(judgement: Judgement, kind: FunctionClass, call: FuncCall): void {
  const { grants } = judgement.context;
  const shown = lastName(call.funcname) ?? "";
  const allowedBy = (key: string): string => `${key} in ${grants.file} allows it; so does its name there.`;
  if (kind === "sequence") judgeSequenceCall(judgement, call);
  if (kind === "setting") judgeSettingRead(judgement, call);
  if (kind === "type by name") judgeNamedType(judgement, call);
  if (kind === "notification") judgeNotification(judgement, call);
  if (kind === "advisory lock" && !grants.session.advisoryLocks)
    deny(grants, shown, allowedBy("session.advisory_locks"));
}

/** @throws RolegateError function_not_allowed, always */
function deny(grants: Grants, shown: string, detail: string): never {
  refuse("function_not_allowed", `permission denied for function ${shown}`, {
    detail,
    hint: `Role "${grants.role}" may use the server's own functions that only compute values${grants.functions.size > 0 ? `, and ${[...grants.functions].toSorted().join(", ")}` : ""}.`,
  });
}

function qualifyCall(judgement: Judgement, call: FuncCall): void {
  const at = call.location ?? 0;
  edit(judgement, at, at, "pg_catalog.");
  call.funcname = [{ String: { sval: "pg_catalog" } }, ...(call.funcname ?? [])];
}

/** A column that is a blanked call keeps the name that the call would have given it. */
export function nameBlanked(judgement: Judgement, target: ResTarget): void {
  const call = target.val !== undefined && "FuncCall" in target.val ? target.val.FuncCall : undefined;
  if (target.val === undefined || call === undefined || target.name !== undefined) return;
  const { name, rulings } = meaningOf(judgement, call);
  if (!rulings.some((ruled) => isOwn(ruled) && ruled.ruling.kind === "blank")) return;
  if (!judgeFunction(judgement, target.val, call)) return;
  const close = closingIndex(judgement.source, indexAfterName(judgement.source, call.location ?? 0));
  const end = judgement.source.tokens[close]!.end;
  edit(judgement, end, end, ` AS ${quoteIdentifier(name)}`);
  target.name = name;
}

function blank(judgement: Judgement, node: Node, call: FuncCall, type: string): void {
  const { source } = judgement;
  noteRelations(judgement, call);
  const start = call.location ?? 0;
  const close = closingIndex(source, indexAfterName(source, start));
  // In this form it may stand in FROM too.
  const text = `CAST(NULL AS pg_catalog.${type})`;
  edit(judgement, start, source.tokens[close]!.end, text);
  become(node, expressionTree(judgement.context.parser, text));
}

/** What stands in a blanked call does not run; the record names the relations in it all the same. */
function noteRelations({ context, local, relations }: Judgement, call: FuncCall): void {
  walk(call.args ?? [], (kind, fields) => {
    if (kind !== "RangeVar") return;
    const { schemaname, relname = "" } = fields as RangeVar;
    const found = resolveRelation(context.catalog, local, schemaname, relname, context.searchPath);
    if (found !== undefined) relations.add(`${found.schema}.${found.name}`);
  });
}
