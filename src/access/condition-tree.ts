import type { ASTNode } from "@marcbachmann/cel-js";
import { ownFunction } from "./condition-environment.ts";

/** True for a node of a condition's tree; beside them it holds names, values and lists. */
export function isNode(value: unknown): value is ASTNode {
  return typeof value === "object" && value !== null && "op" in value && "args" in value;
}

/** What `find` finds first in the nodes below one, or in a list of them. */
export function firstBelow<Result>(
  value: unknown,
  find: (node: ASTNode) => Result | undefined,
): Result | undefined {
  if (isNode(value)) return find(value);
  if (!Array.isArray(value)) return undefined;
  for (const item of value) {
    const found = firstBelow(item, find);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The name in `identity.name` or `identity["name"]`; undefined for anything else. */
export function attributeOf(node: ASTNode): string | undefined {
  if (node.op !== "." && node.op !== "[]") return undefined;
  const [object, key] = node.args;
  if (object.op !== "id" || object.args !== "identity") return undefined;
  if (typeof key === "string") return key;
  return key.op === "value" && typeof key.args === "string" ? key.args : undefined;
}

export type Call = {
  readonly name: string;
  readonly receiver: ASTNode | undefined;
  readonly given: readonly ASTNode[];
};

/** A call, or undefined for any other node. */
export function callOf(node: ASTNode): Call | undefined {
  if (node.op === "call") return { name: node.args[0], receiver: undefined, given: node.args[1] };
  if (node.op === "rcall") return { name: node.args[0], receiver: node.args[1], given: node.args[2] };
  return undefined;
}

/** Puts our functions in the place of the library's that are wrong, before anything is checked. */
export function takeOwnFunctions(tree: ASTNode): void {
  const rename = (node: ASTNode): undefined => {
    const call = callOf(node);
    const own = call && ownFunction(call.name, call.receiver !== undefined, call.given.length);
    if (own !== undefined) (node.args as unknown as [string])[0] = own;
    firstBelow(node.args, rename);
  };
  rename(tree);
}

/**
 * Whether time alone can change what a condition comes to: it looks at `now`, or at the age of the sign-in. Where it
 * cannot be told, it is.
 */
export function isTimed(tree: ASTNode): boolean {
  const timed = (node: ASTNode): true | undefined => {
    const attribute = attributeOf(node);
    if (attribute !== undefined) return attribute === "age" ? true : undefined;
    // The whole of `identity`, or a computed one of its attributes.
    if (node.op === "id") return node.args === "now" || node.args === "identity" ? true : undefined;
    return firstBelow(node.args, timed);
  };
  return timed(tree) === true;
}
