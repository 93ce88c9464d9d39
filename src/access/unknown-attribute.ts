import type { ASTNode } from "@marcbachmann/cel-js";
import { oneOf } from "../document/suggest.ts";

/**
 * The first `identity.x` or `identity["x"]` in a condition for which no identity of the configuration can have an
 * attribute: a typing error would otherwise be a rule that silently never holds, or under `!` always.
 */
export function unknownAttribute(
  ast: ASTNode,
  attributes: ReadonlySet<string>,
): { found: string; expected: string; offset: number } | undefined {
  const known = new Set(["name", "method", ...attributes]);
  const visit = (node: unknown): { found: string; expected: string; offset: number } | undefined => {
    if (Array.isArray(node)) return firstOf(node, visit);
    if (!isNode(node)) return undefined;
    const name = attributeOf(node);
    if (name !== undefined && !known.has(name)) {
      return {
        found: `identity.${name}`,
        expected: oneOf(
          `identity.${name}`,
          [...known].map((attribute) => `identity.${attribute}`),
        ),
        offset: node.start,
      };
    }
    return visit(node.args);
  };
  return visit(ast);
}

function attributeOf(node: ASTNode): string | undefined {
  if (node.op !== "." && node.op !== "[]") return undefined;
  const [object, key] = node.args;
  if (object.op !== "id" || object.args !== "identity") return undefined;
  if (typeof key === "string") return key;
  return key.op === "value" && typeof key.args === "string" ? key.args : undefined;
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === "object" && value !== null && "op" in value && "args" in value;
}

function firstOf<Result>(
  items: readonly unknown[],
  find: (item: unknown) => Result | undefined,
): Result | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
