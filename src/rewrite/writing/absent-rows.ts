import type { Node } from "@pgsql/types";
import { childNodes } from "../text/child-nodes.ts";
import { unsupported } from "../judgement.ts";

/**
 * In RETURNING `old` of an inserted row and `new` of a deleted one are not there. PostgreSQL 18 (18.4 at least) reads them all
 * the same where they stand on the left of IN, ANY or ALL of a sub-select, and its crash ends the sessions of everybody. In
 * a sub-select of its own the same expression is NULL, as it should be.
 * @param names what the statement calls rows that may not be there.
 * @throws RolegateError statement_not_supported
 */
export function judgeAbsentRows(node: Node, names: ReadonlySet<string>): void {
  if (names.size === 0 || "SelectStmt" in node) return;
  if ("SubLink" in node && node.SubLink.testexpr !== undefined && namesOne(node.SubLink.testexpr, names))
    unsupported(
      `${[...names].join(" or ")} on the left of a sub-select`,
      "Put the whole condition into a sub-select: (SELECT old.a IN (SELECT …)).",
    );
  for (const child of childNodes(node)) judgeAbsentRows(child, names);
}

function namesOne(node: Node, names: ReadonlySet<string>): boolean {
  const first = "ColumnRef" in node ? node.ColumnRef.fields?.[0] : undefined;
  if (first !== undefined && "String" in first && names.has(first.String.sval ?? "")) return true;
  return childNodes(node).some((child) => namesOne(child, names));
}
