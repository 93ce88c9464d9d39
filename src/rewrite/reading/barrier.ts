import type { Node } from "@pgsql/types";
import { walk } from "../../sql/walk.ts";
import type { Condition, Read, Survey } from "../findings.ts";
import type { Judgement } from "../judgement.ts";
import { lastName } from "../text/dotted-name.ts";
import { planGuards, type Guarded } from "./guarded-conditions.ts";
import type { ColumnFacts } from "./column-facts.ts";
import { isSafe } from "./safe-conditions.ts";
import { meansOwnOperators } from "./safe-operators.ts";
import type { Barrier } from "./virtual-table.ts";

/** A condition with those of its parts that must not run on hidden rows. */
export type Unsafe = { readonly condition: Condition; readonly parts: readonly Node[] };

/** What keeps the conditions of a statement off hidden rows. */
export type Barriers = {
  /** Every condition of the statement may run on rows that the role must not see. */
  readonly safe: boolean;
  /** What a virtual table needs; undefined: nothing, as no condition that could harm gets to its hidden rows. */
  readonly of: (read: Read) => Barrier;
  /** The conditions that are to stand in a CASE. */
  readonly guarded: readonly Guarded[];
};

/**
 * What keeps the conditions of a statement off hidden rows that must not run there, and the planner from trying them on
 * values of hidden rows in its statistics.
 */
export function barriersOf(judgement: Judgement, survey: Survey, facts: ColumnFacts): Barriers {
  const { parameters } = judgement;
  const unsafe = survey.conditions
    .map((condition) => ({
      condition,
      parts: unsafeParts(judgement, facts, condition.node, condition.clause === "having"),
    }))
    .filter(({ parts }) => parts.length > 0);
  const joined = survey.using.filter((name) => {
    const family = facts.family(name);
    return family === undefined || !meansOwnOperators(judgement, ["="], family, []);
  });
  const anywhere = survey.vague || survey.natural || (survey.distances && survey.sorted);
  const safe = !anywhere && joined.length + unsafe.length === 0;
  if (safe) return { safe, of: () => undefined, guarded: [] };
  const covered = anywhere ? "all" : columnsIn(survey, unsafe, joined);
  const barrier = { kind: "closed", covered } as const;
  const plan = anywhere || joined.length > 0 ? undefined : planGuards(judgement, survey, unsafe);
  // A parameter that was counted on stands outside of the rule now, like all that the client wrote.
  if (plan === undefined) judgement.parameters = parameters;
  const of = (read: Read): Barrier => {
    if (plan === undefined || plan.closed.has(read)) return barrier;
    return plan.marked.has(read) ? { kind: "marked" } : undefined;
  };
  return { safe, of, guarded: plan?.guarded ?? [] };
}

/** The columns that conditions name which must not run on hidden rows. */
function columnsIn(
  survey: Survey,
  unsafe: readonly Unsafe[],
  joined: readonly string[],
): "all" | ReadonlySet<string> {
  const named = new Set<string | undefined>(joined);
  for (const { parts } of unsafe)
    walk(parts, (kind, fields) => {
      if (kind === "ColumnRef") named.add(lastName(fields["fields"] as Node[]));
    });
  const names = new Set<string>();
  for (const name of named) {
    // A star, and the name of something in FROM, is a whole row; a column of a sub-select is made of any others.
    if (name === undefined || survey.aliases.has(name) || survey.outputs.has(name)) return "all";
    names.add(name);
  }
  return names;
}

function unsafeParts(judgement: Judgement, facts: ColumnFacts, node: Node, having: boolean): readonly Node[] {
  if ("BoolExpr" in node && node.BoolExpr.boolop === "AND_EXPR")
    return (node.BoolExpr.args ?? []).flatMap((part) => unsafeParts(judgement, facts, part, having));
  return isSafe(judgement, facts, node, having) ? [] : [node];
}
