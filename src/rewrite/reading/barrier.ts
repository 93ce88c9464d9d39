import type { Node } from "@pgsql/types";
import { walk } from "../../sql/walk.ts";
import { lastName } from "../text/dotted-name.ts";
import type { Survey } from "../findings.ts";
import type { Judgement } from "../judgement.ts";
import { isSafe, type ColumnFacts } from "./safe-conditions.ts";
import { meansOwnOperators } from "./safe-operators.ts";
import type { Barrier } from "./virtual-table.ts";

/**
 * What keeps the conditions of a statement off hidden rows that must not run there, and the planner from trying them on
 * values of hidden rows in its statistics; undefined: every condition is safe.
 */
export function barrierOf(judgement: Judgement, survey: Survey, facts: ColumnFacts): Barrier {
  const { parameters } = judgement;
  const unsafe = survey.conditions.flatMap(({ node, having }) => unsafeParts(judgement, facts, node, having));
  const joined = survey.using.filter((name) => {
    const family = facts.family(name);
    return family === undefined || !meansOwnOperators(judgement, ["="], family, []);
  });
  const behind = survey.computed || survey.natural || joined.length + unsafe.length > 0;
  if (!behind) return undefined;
  // A parameter that was counted on stands outside of the rule now, like all that the client wrote.
  judgement.parameters = parameters;
  if (survey.computed || survey.natural) return { covered: "all" };
  const named = new Set<string | undefined>(joined);
  for (const node of unsafe)
    walk(node, (kind, fields) => {
      if (kind === "ColumnRef") named.add(lastName(fields["fields"] as Node[]));
    });
  const names = new Set<string>();
  for (const name of named) {
    // A star, and the name of something in FROM, is a whole row.
    if (name === undefined || survey.aliases.has(name)) return { covered: "all" };
    names.add(name);
  }
  return { covered: names };
}

function unsafeParts(judgement: Judgement, facts: ColumnFacts, node: Node, having: boolean): readonly Node[] {
  if ("BoolExpr" in node && node.BoolExpr.boolop === "AND_EXPR")
    return (node.BoolExpr.args ?? []).flatMap((part) => unsafeParts(judgement, facts, part, having));
  return isSafe(judgement, facts, node, having) ? [] : [node];
}
