import type { DefElem, Node } from "@pgsql/types";
import { clauseNodes } from "../../sql/clause-nodes.ts";
import { expressionNodes } from "../../sql/expression-nodes.ts";
import { walk } from "../../sql/walk.ts";
import { judgeType } from "../calls/casts.ts";
import { childNodes } from "../text/child-nodes.ts";
import { nameParts } from "../text/dotted-name.ts";
import { unsupported, type Judgement } from "../judgement.ts";
import { surveyStatement } from "../survey.ts";
import { typesNamed } from "../calls/value-origins.ts";

/** Values and names that stand in the tree as nodes of their own, and parts of types. */
const plain: ReadonlySet<string> = new Set(["A_Star", "BitString", "Boolean", "Float", "Integer", "String"]);
/** Kinds below which types and expressions are looked for. */
const holders: ReadonlySet<string> = new Set([...Object.keys(clauseNodes), "List"]);
const expressions: ReadonlySet<string> = new Set(Object.keys(expressionNodes));

/**
 * Judges what a definition is made of: every type that it names and every expression (default, check, generated column,
 * index, partition bound), wherever it stands. Relations are judged by whoever calls; one that nobody has looked at is
 * refused, and so is a kind of node that is unknown.
 * @param judged relations and statements (the values of their nodes) that have been looked at.
 */
function judgeParts(judgement: Judgement, node: Node, judged: ReadonlySet<object>): void {
  const [kind = "", value] = Object.entries(node)[0] ?? [];
  if (judged.has(value as object) || plain.has(kind)) return;
  if ("TypeName" in node) return judgeType(judgement, node.TypeName);
  if ("DefElem" in node && isWord(node.DefElem)) return;
  if ("CollateClause" in node && node.CollateClause.arg === undefined) return;
  if (holders.has(kind) && kind !== "RangeVar")
    return childNodes(node).forEach((child) => judgeParts(judgement, child, judged));
  if (!expressions.has(kind)) return unsupported(`${kind} in a definition`);
  judgeExpression(judgement, node);
}

/** `autovacuum_enabled = off`: the grammar reads a bare word as a type's name. AS is followed by a real one. */
function isWord({ defname, arg }: DefElem): boolean {
  return defname !== "as" && arg !== undefined && "TypeName" in arg;
}

/** The parts of a statement, whose own kind is known. */
export function judgeStatementParts(
  judgement: Judgement,
  statement: Node,
  judged: ReadonlySet<object>,
): void {
  // An expression may come before the column that it is about.
  walk(statement, (kind, fields) => {
    if (kind === "TypeName")
      for (const type of typesNamed(judgement.context.catalog, nameParts(fields["names"] as Node[])))
        judgement.about.types.add(type);
  });
  for (const child of childNodes(statement)) judgeParts(judgement, child, judged);
}

function judgeExpression(judgement: Judgement, node: Node): void {
  const { reads, writes } = surveyStatement(judgement, node);
  if (reads.length > 0 || writes.length > 0) unsupported("a sub-select in a definition");
}
