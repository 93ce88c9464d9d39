import type { Node, TypeName } from "@pgsql/types";
import { refuse } from "../../errors.ts";
import { open, type Opened } from "../../sql/walk.ts";
import { madeTypes, reach, type MadeTypes } from "./value-origins.ts";
import { formatType, mayBe } from "./builtin-values.ts";
import type { Choice, Part } from "./chosen-calls.ts";
import type { DeniedCalls } from "./denied-calls.ts";
import { constantString } from "../text/constant-string.ts";
import { plainTypes } from "../reading/converting-parameters.ts";
import { isColumn } from "./attribute-notation.ts";
import { lastName, lastOf, namesBehind, nameParts } from "../text/dotted-name.ts";
import type { Judgement } from "../judgement.ts";
import { distrust } from "./operators.ts";
import { storedValues, type StoredValue } from "./stored-values.ts";
import { familyOfType } from "../reading/type-families.ts";

type Cast = DeniedCalls["casts"][number];

/** Where the server looks for a common type, or for the type that a function, an operator or a clause wants. */
const converting: ReadonlySet<string> = new Set([
  "A_ArrayExpr",
  "A_Expr",
  "A_Indices",
  "BoolExpr",
  "BooleanTest",
  "CaseExpr",
  "CoalesceExpr",
  "FuncCall",
  "JsonFuncExpr",
  "JsonValueExpr",
  "MinMaxExpr",
  "SubLink",
  "XmlExpr",
  "XmlSerialize",
]);

/**
 * CREATE CAST lets the server call a function where a value of one type becomes one of another: where the statement
 * says so, where a value is stored, or by itself.
 * @throws RolegateError function_not_allowed
 */
export function judgeCasts(choice: Choice, node: Opened, parts: readonly Part[], inner: MadeTypes): void {
  if (choice.denied.casts.length === 0) return;
  const stored = storedValues(choice.survey, node);
  for (const cast of choice.denied.casts) {
    if (castsTo(choice, node, cast)) judgeSource(choice, parts, inner, cast);
    if (cast.context === "i" && converts(node) && wants(choice, node, inner, cast))
      judgeSource(choice, parts, inner, cast);
    if (cast.context === "i" && isCalledRow(choice, node) && isRow(choice, cast)) deny(choice, cast);
    if (cast.context !== "e") for (const value of stored) judgeStored(choice, value, inner, cast);
  }
}

/** The symbols that every type of a family has for itself. */
const comparisons: ReadonlySet<string> = new Set(["=", "<>", "!=", "<", "<=", ">", ">="]);

/** A set operation and VALUES bring the columns of several selects to one type. */
function converts({ kind, fields }: Opened): boolean {
  if (kind === "A_Indirection") return namesBehind(fields).length > 0;
  if (kind === "SelectStmt") return fields["op"] !== "SETOP_NONE" || fields["valuesLists"] !== undefined;
  return converting.has(kind);
}

/** Could the reference be a call of a function of a whole row: `t.f`? */
function isCalledRow({ judgement, survey }: Choice, { kind, fields }: Opened): boolean {
  if (kind !== "ColumnRef") return false;
  const [name, qualifier] = (fields["fields"] as Node[]).map((part) => lastName([part])).toReversed();
  if (name === undefined || qualifier === undefined) return false;
  return judgement.context.catalog.functions.has(name) && !isColumn(survey, qualifier, name);
}

function isRow({ judgement: { context } }: Choice, { source }: Cast): boolean {
  return ["c", "d"].includes(context.catalog.typesByText.get(source.type)?.kind ?? "");
}

/** Could the type of an explicit cast, also one written as a call, be the one that the function makes, or one made of it? */
function castsTo({ judgement: { context } }: Choice, { kind, fields }: Opened, { target }: Cast): boolean {
  if (kind !== "TypeCast" && kind !== "FuncCall") return false;
  const called = kind === "FuncCall";
  if (called && (fields["args"] as Node[] | undefined)?.length !== 1) return false;
  const names = (called ? fields["funcname"] : (fields["typeName"] as TypeName).names) as Node[];
  if (!target.made) return formatType(lastName(names) ?? "") === target.type;
  return madeTypes(context.catalog, nameParts(names)).some(({ holds }) => holds.has(target.type));
}

/** Could something in the node want the type that the function makes? */
function wants({ judgement }: Choice, { kind, fields }: Opened, inner: MadeTypes, cast: Cast): boolean {
  const { catalog } = judgement.context;
  // What a value of somebody's type is turned into by itself is wanted sooner or later.
  if (cast.source.made || (cast.target.made && inner.has(cast.target.type))) return true;
  if (!cast.target.made) return kind !== "A_Expr" || !comparesAlike(judgement, fields, cast.source);
  const names =
    kind === "A_Indirection"
      ? namesBehind(fields)
      : lastOf(kind === "FuncCall" ? fields["funcname"] : fields["name"]);
  return names.some((name) =>
    kind === "A_Expr"
      ? (catalog.operators.get(name) ?? []).some(({ takes }) => takes.includes(cast.target.type))
      : (catalog.functions.get(name) ?? []).some(({ own }) => !own),
  );
}

/** A literal compared with a value takes its type, and nothing is converted; so does a parameter that is not declared. */
function comparesAlike(
  judgement: Judgement,
  { name, lexpr, rexpr }: Opened["fields"],
  { type, oid }: Cast["source"],
): boolean {
  const symbol = lastName(name as Node[] | undefined) ?? "";
  if (!comparisons.has(symbol) || familyOfType(type) === undefined) return false;
  const sides = [lexpr, rexpr].map((side) => [side as Node | undefined].flatMap(itemsOf));
  if (sides.some((items) => items.every((item) => constantString(item) !== undefined))) return true;
  if (judgement.declaredTypes.length > 0 || !sides.some((items) => items.every(takesType))) return false;
  for (const declared of plainTypes) if (declared !== oid) judgement.distrustedTypes.add(declared);
  return true;
}

function takesType(node: Node): boolean {
  return "ParamRef" in node || constantString(node) !== undefined;
}

function itemsOf(node: Node | undefined): readonly Node[] {
  if (node === undefined) return [];
  return "List" in node ? (node.List.items ?? []) : [node];
}

function judgeSource(choice: Choice, parts: readonly Part[], inner: MadeTypes, cast: Cast): void {
  const { type, made, oid } = cast.source;
  const values = parts
    .map(({ child }) => child)
    .filter(({ kind }) => kind !== "TypeName" && kind !== "String");
  if (made ? inner.has(type) : values.some((value) => couldBe(choice, value, type))) deny(choice, cast);
  // A parameter that is declared to be of the source's type.
  if (made) distrust(choice.judgement, [type]);
  else choice.judgement.distrustedTypes.add(oid);
}

/** `mayBe` of a node and of the rows and lists below it. */
function couldBe(choice: Choice, node: Opened, type: string): boolean {
  const items = node.kind === "List" ? (node.fields["items"] as Node[] | undefined) : undefined;
  if (items === undefined) return mayBe(node, type, choice.arising);
  return items.some((item) => {
    const opened = open(item);
    return opened !== undefined && couldBe(choice, opened, type);
  });
}

function judgeStored(choice: Choice, { type, value }: StoredValue, inner: MadeTypes, cast: Cast): void {
  const { catalog } = choice.judgement.context;
  const { target } = cast;
  const stores = target.made
    ? reach(catalog, type).has(target.type)
    : type.replace(/(\[\])+$/, "") === target.type;
  if (!stores) return;
  const opened = value === undefined ? undefined : open(value);
  if (opened?.kind === "SetToDefault") return;
  const { source } = cast;
  const types = opened === undefined ? inner : choice.typesOf(opened);
  if (source.made ? types.has(source.type) : opened === undefined || couldBe(choice, opened, source.type))
    deny(choice, cast);
  if (source.made) distrust(choice.judgement, [source.type]);
  else choice.judgement.distrustedTypes.add(source.oid);
}

/** A value that is stored in something of an unknown type may be converted by any cast that assignments use. */
export function judgeStoredSomewhere(choice: Choice, value: Opened, types: MadeTypes): void {
  for (const cast of choice.denied.casts) {
    const { type, made } = cast.source;
    if (cast.context !== "e" && (made ? types.has(type) : couldBe(choice, value, type))) deny(choice, cast);
  }
}

function deny({ judgement }: Choice, { source, target, function: called }: Cast): never {
  const { file } = judgement.context.grants;
  refuse("function_not_allowed", `permission denied for the cast of ${source.type} to ${target.type}`, {
    detail: `It could be meant and calls ${called.schema}.${called.name}, which ${file} does not allow by name.`,
    hint: `The function can be allowed under functions.allow in ${file}.`,
  });
}
