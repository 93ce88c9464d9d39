import type { Node } from "@pgsql/types";
import { children, nodeFields, open } from "../sql/walk.ts";

/**
 * The nodes right below a node, each in the wrapping that it has in the tree, so that another can be put in its
 * place. A field that always holds one kind has no wrapping in the tree; its node comes in a new one.
 * @throws RolegateError statement_not_supported for a kind or a field that the table of nodes does not know
 */
export function childNodes(node: Node): Node[] {
  const opened = open(node);
  if (opened === undefined) return [];
  // Checks every field; what is unknown never gets past this line.
  const known = children(opened);
  const shapes = nodeFields.get(opened.kind)!;
  return [...new Set(known.map((child) => child.field))].flatMap((field): Node[] => {
    const shape = shapes.get(field)!;
    const value = opened.fields[field];
    if (shape.kind === "list") return (value as Node[]).filter((item) => open(item) !== undefined);
    if (shape.kind === "child" && shape.of !== undefined) return [{ [shape.of]: value } as Node];
    return [value as Node];
  });
}
