import type { A_Expr, ColumnRef, Node } from "@pgsql/types";
import { quoteIdentifier } from "../../sql/names.ts";
import { lastName, nameParts } from "../text/dotted-name.ts";
import type { Read } from "../findings.ts";
import type { Judgement } from "../judgement.ts";
import { conjuncts, mostParts } from "./safe-copies.ts";
import { meansOwnOperators } from "./safe-operators.ts";
import { familyBeside } from "./source-families.ts";
import { systemColumns } from "./system-columns.ts";
import { familyOfType } from "./type-families.ts";
import { rowName, type Target } from "../writing/write-target.ts";

/**
 * Behind CASE no join can use `target.id = source.id`, and each row would be held against each. So such parts of
 * `a AND b AND …` stand outside once more, as `CASE WHEN rule THEN target.id END = source.id`: whatever operator the
 * server takes for the two types, it sees NULL in place of a value that the rule hides. They stay where they are as well, so a copy
 * can only take away rows that would go anyway. Where both types are known to compare without harm, the part stands
 * there as it is, so that an index serves.
 * @param rules of the target's rows, rendered for its name.
 */
export function joinCopies(
  judgement: Judgement,
  target: Target,
  condition: Node | undefined,
  beside: { readonly items: readonly Node[]; readonly reads: readonly Read[] },
  rules: readonly string[],
): string[] {
  const parts = conjuncts(condition);
  if (parts.length > mostParts) return [];
  const reads = new Map(beside.reads.map((read) => [read.rangeVar as object, read]));
  const rule = rules.map((text) => `(${text})`).join(" AND ");
  return parts.flatMap((part) => {
    const sides = "A_Expr" in part ? sidesOf(target, part.A_Expr) : undefined;
    if (sides === undefined) return [];
    const own = `${quoteIdentifier(rowName(target))}.${quoteIdentifier(sides.own)}`;
    const family = storedFamily(target, sides.own);
    const same =
      family !== undefined &&
      familyBeside(judgement, beside.items, reads, sides.reference) === family &&
      meansOwnOperators(judgement, ["="], family, []);
    return [same ? `${own} = ${sides.other}` : `CASE WHEN ${rule} THEN ${own} END = ${sides.other}`];
  });
}

function sidesOf(
  target: Target,
  { kind, name, lexpr, rexpr }: A_Expr,
): { own: string; other: string; reference: ColumnRef } | undefined {
  if (kind !== "AEXPR_OP" || name?.length !== 1 || lastName(name) !== "=") return undefined;
  const left = lexpr !== undefined && "ColumnRef" in lexpr ? lexpr.ColumnRef : undefined;
  const right = rexpr !== undefined && "ColumnRef" in rexpr ? rexpr.ColumnRef : undefined;
  if (left === undefined || right === undefined) return undefined;
  const own = ownColumn(target, left) ?? ownColumn(target, right);
  const reference = otherColumn(target, left) === undefined ? right : left;
  const other = otherColumn(target, reference);
  return own === undefined || other === undefined ? undefined : { own, other, reference };
}

/** The family of a column of the target that is stored as it is, and so gives a value without computing one. */
function storedFamily({ relation }: Target, name: string): string | undefined {
  const stored = relation.kind === "table" || relation.kind === "partitioned table";
  const column = relation.columns.find((each) => each.name === name);
  return stored && column?.typeKind === "b" ? familyOfType(column.type) : undefined;
}

/** A column of the target. Bare, it can be no other's: the server would call it ambiguous. */
function ownColumn({ names, relation }: Target, reference: ColumnRef): string | undefined {
  const name = lastName(reference.fields);
  const parts = reference.fields?.length ?? 0;
  if (name === undefined || !relation.columns.some((column) => column.name === name)) return undefined;
  if (parts === 1) return name;
  return parts === 2 && names.has(lastName(reference.fields!.slice(0, 1)) ?? "") ? name : undefined;
}

/** A column of something that stands beside the target, as the client wrote it. */
function otherColumn({ names, relation }: Target, { fields }: ColumnRef): string | undefined {
  if (fields === undefined || fields.length > 2 || lastName(fields) === undefined) return undefined;
  const [first = "", second] = nameParts(fields);
  const own =
    names.has(first) ||
    (second === undefined &&
      (systemColumns.has(first) || relation.columns.some((column) => column.name === first)));
  return own ? undefined : nameParts(fields).map(quoteIdentifier).join(".");
}
