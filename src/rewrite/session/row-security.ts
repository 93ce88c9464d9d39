import type { Relation } from "../../catalog/catalog.ts";
import { refuse } from "../../errors.ts";
import type { TableGrant } from "../../policy/grants.ts";
import type { Survey } from "../findings.ts";
import type { Judgement } from "../judgement.ts";

/**
 * Under `SET row_security = off` a statement fails where a row rule would leave rows out, as it does on a server whose own
 * policies would (documentation, 20.11.1).
 * @throws RolegateError relation_not_allowed
 */
export function judgeRowSecurity(judgement: Judgement, { reads, writes }: Survey): void {
  for (const { relation, grant } of [...reads, ...writes])
    if (grant !== undefined) judgeFiltered(judgement, relation, grant);
}

/** The same for one relation. */
export function judgeFiltered(
  { context }: Judgement,
  { name }: Pick<Relation, "name">,
  grant: TableGrant,
): void {
  if (context.rowSecurity !== "off") return;
  const rule = grant.select?.rows ?? grant.update?.rows ?? grant.delete?.rows;
  if (rule === undefined) return;
  refuse("relation_not_allowed", `query would be affected by row-level security policy for table "${name}"`, {
    detail: `The client has set row_security to off, and a rule shows only some rows (${rule.rule}).`,
    hint: "SET row_security = on reads the rows that the role may see (pg_dump --enable-row-security).",
  });
}
