import { serialize, type ASTNode } from "@marcbachmann/cel-js";
import type { Identity } from "../identity/identity.ts";
import { compileCondition, type AccessConnection, type Outcome } from "./condition.ts";
import { conditionEnvironment } from "./condition-environment.ts";

/** A condition taken apart at its `&&` and `||`, each part with what it comes to. */
export type ConditionPart =
  | {
      readonly kind: "all of" | "any of";
      readonly outcome: Outcome;
      readonly parts: readonly ConditionPart[];
    }
  | { readonly kind: "part"; readonly outcome: Outcome; readonly text: string };

/** What a condition is asked about. */
export type Question = {
  readonly identity: Identity;
  readonly connection: AccessConnection;
  /** Milliseconds since the epoch. */
  readonly now: number;
};

/**
 * Says which part of a condition decides. Each part is evaluated by itself, by the same means as the whole.
 * @param text a condition that compiles with these attributes
 */
export function explainCondition(
  text: string,
  attributes: ReadonlySet<string>,
  question: Question,
): ConditionPart {
  const partOf = (node: ASTNode): ConditionPart => {
    // Where a node ends in the text says nothing of parentheses.
    const own = serialize(node);
    const outcome = outcomeOf(own, attributes, question);
    if (node.op !== "&&" && node.op !== "||") return { kind: "part", outcome, text: own };
    const parts = operands(node, node.op).map(partOf);
    return { kind: node.op === "&&" ? "all of" : "any of", outcome, parts };
  };
  return partOf(conditionEnvironment(attributes).parse(text).ast);
}

/** Those of `a && b && c`, however they are nested. */
function operands(node: ASTNode, op: "&&" | "||"): readonly ASTNode[] {
  return node.op === op ? node.args.flatMap((operand) => operands(operand, op)) : [node];
}

function outcomeOf(
  text: string,
  attributes: ReadonlySet<string>,
  { identity, connection, now }: Question,
): Outcome {
  const compiled = compileCondition(text, attributes);
  if (compiled.kind === "refused") return { kind: "failed", reason: compiled.found };
  return compiled.condition.evaluate(identity, connection, now);
}
