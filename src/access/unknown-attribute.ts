import type { ASTNode } from "@marcbachmann/cel-js";
import { oneOf } from "../document/suggest.ts";
import { takenNames } from "../identity/attributes.ts";
import { attributeOf, firstBelow } from "./condition-tree.ts";

/** Something that a condition cannot mean, in the words of a configuration problem. */
export type Slip = { readonly found: string; readonly expected: string; readonly offset: number };

/**
 * The first `identity.x` or `identity["x"]` in a condition for which no identity of the configuration can have an
 * attribute: a typing error would otherwise be a rule that silently never holds, or under `!` always.
 */
export function unknownAttribute(tree: ASTNode, attributes: ReadonlySet<string>): Slip | undefined {
  const known = new Set([...takenNames, ...attributes]);
  const visit = (node: ASTNode): Slip | undefined => {
    const name = attributeOf(node);
    if (name === undefined || known.has(name)) return firstBelow(node.args, visit);
    const all = [...known].map((attribute) => `identity.${attribute}`);
    return { found: `identity.${name}`, expected: oneOf(`identity.${name}`, all), offset: node.start };
  };
  return visit(tree);
}
