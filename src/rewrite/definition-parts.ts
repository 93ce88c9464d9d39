import type { FuncCall, Node } from "@pgsql/types";
import { clauseNodes } from "../sql/clause-nodes.ts";
import { expressionNodes } from "../sql/expression-nodes.ts";
import { quoteLiteral, quoteQualified } from "../sql/names.ts";
import { judgeType } from "./casts.ts";
import { childNodes } from "./child-nodes.ts";
import { allowsDefinition } from "./definition-rights.ts";
import { sequenceMeant } from "./definition-targets.ts";
import { become } from "./fragment.ts";
import { nameParts } from "./dotted-name.ts";
import { edit, unsupported, type Judgement } from "./judgement.ts";
import { readName } from "./regclass-text.ts";
import { indexOf } from "./source.ts";
import { surveyStatement } from "./survey.ts";

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
  if ("CollateClause" in node && node.CollateClause.arg === undefined) return;
  if (holders.has(kind) && kind !== "RangeVar")
    return childNodes(node).forEach((child) => judgeParts(judgement, child, judged));
  if (!expressions.has(kind)) return unsupported(`${kind} in a definition`);
  judgeExpression(judgement, node);
}

/** The parts of a statement, whose own kind is known. */
export function judgeStatementParts(
  judgement: Judgement,
  statement: Node,
  judged: ReadonlySet<object>,
): void {
  for (const child of childNodes(statement)) judgeParts(judgement, child, judged);
}

function judgeExpression(judgement: Judgement, node: Node): void {
  const restore = setAsideSequences(judgement, node);
  const { reads, writes } = surveyStatement(judgement, node);
  if (reads.length > 0 || writes.length > 0) unsupported("a sub-select in a definition");
  restore();
}

/**
 * `nextval('sequence')` in a default is part of the definition: it takes a sequence that the role may define, and no rule
 * for the function. It is sent with the sequence's schema, and stands aside while the rest is judged.
 */
function setAsideSequences(judgement: Judgement, node: Node): () => void {
  const found: { readonly node: Node; readonly call: FuncCall }[] = [];
  const look = (at: Node): void => {
    if ("FuncCall" in at && isNextval(at.FuncCall)) {
      const written = sequenceText(at.FuncCall);
      if (written !== undefined && pinSequence(judgement, written)) {
        found.push({ node: at, call: at.FuncCall });
        return;
      }
    }
    for (const child of childNodes(at)) look(child);
  };
  look(node);
  for (const each of found) become(each.node, { A_Const: { isnull: true } });
  return () => {
    for (const each of found) become(each.node, { FuncCall: each.call });
  };
}

function isNextval({ funcname, args }: FuncCall): boolean {
  const names = nameParts(funcname);
  return (
    names.at(-1) === "nextval" &&
    (names.length === 1 || (names.length === 2 && names[0] === "pg_catalog")) &&
    args?.length === 1
  );
}

type Constant = { sval?: { sval?: string }; readonly location?: number };

/** The constant in `'s'`, `'s'::regclass`; a name as text is looked up when the default runs, under any search_path. */
function sequenceText({ args }: FuncCall): Constant | undefined {
  const arg = args?.[0];
  if (arg === undefined) return undefined;
  if ("A_Const" in arg) return arg.A_Const;
  if (!("TypeCast" in arg) || arg.TypeCast.arg === undefined || !("A_Const" in arg.TypeCast.arg))
    return undefined;
  const type = nameParts(arg.TypeCast.typeName?.names);
  const isRegclass = type.at(-1) === "regclass" && (type.length === 1 || type[0] === "pg_catalog");
  return isRegclass ? arg.TypeCast.arg.A_Const : undefined;
}

/** @returns true if the role may define the sequence, whose name is then qualified. */
function pinSequence(judgement: Judgement, constant: Constant): boolean {
  const { catalog } = judgement.context;
  const text = constant.sval?.sval;
  const name = text === undefined ? undefined : readName(text);
  const token = constant.location === undefined ? undefined : indexOf(judgement.source, constant.location);
  // Somebody's nextval might be meant.
  const own = (catalog.functions.get("nextval") ?? []).every(({ schema }) => schema === "pg_catalog");
  if (name === undefined || token === undefined || !own) return false;
  const sequence = sequenceMeant(judgement, name);
  const allowed =
    allowsDefinition(judgement, sequence, "create") ?? allowsDefinition(judgement, sequence, "alter");
  if (allowed === undefined) return false;
  const { start, end } = judgement.source.tokens[token]!;
  const qualified = quoteQualified(sequence.schema, sequence.name);
  edit(judgement, start, end, quoteLiteral(qualified));
  constant.sval = { sval: qualified };
  return true;
}
