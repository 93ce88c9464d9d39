import type { Node } from "@pgsql/types";
import { childrenInTree } from "../../sql/walk.ts";

/**
 * The nodes right below a node, each in the wrapping that it has in the tree.
 * @throws RolegateError statement_not_supported for a kind or a field that the table of nodes does not know
 */
export function childNodes(node: Node): Node[] {
  return childrenInTree(node) as Node[];
}
