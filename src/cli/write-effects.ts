import type { Catalog } from "../catalog/catalog.ts";
import type { ConfigProblem } from "../document/problem.ts";
import { relationsOf } from "../policy/advice.ts";
import type { RoleFile } from "../policy/role-file.ts";
import type { RoleQuery } from "../upstream/role-client.ts";

/** What runs by itself when a relation is written to: triggers, and rules of CREATE RULE; one row for each. */
const effects = `
  SELECT c.oid::pg_catalog.int8::pg_catalog.text AS relation,
      'trigger ' operator(pg_catalog.||) t.tgname operator(pg_catalog.||) ', which runs ' operator(pg_catalog.||)
        p.oid::pg_catalog.regprocedure::pg_catalog.text AS what,
      p.prosecdef AS definer
    FROM pg_catalog.pg_trigger t
    JOIN pg_catalog.pg_class c ON c.oid operator(pg_catalog.=) t.tgrelid
    JOIN pg_catalog.pg_proc p ON p.oid operator(pg_catalog.=) t.tgfoid
   WHERE NOT t.tgisinternal AND t.tgenabled operator(pg_catalog.<>) 'D'
  UNION ALL
  SELECT c.oid::pg_catalog.int8::pg_catalog.text, 'rule ' operator(pg_catalog.||) r.rulename, true
    FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid operator(pg_catalog.=) r.ev_class
   WHERE r.rulename operator(pg_catalog.<>) '_RETURN' AND r.ev_enabled operator(pg_catalog.<>) 'D'
   ORDER BY 1, 2`;

/**
 * Triggers that run with their owner's rights, and rules, on relations that the role may write to: what they read and
 * write is not judged.
 */
export async function writeEffects(
  query: RoleQuery,
  file: RoleFile,
  catalog: Catalog,
): Promise<readonly ConfigProblem[]> {
  const rows = await query<{ relation: string; what: string; definer: boolean }>(effects);
  const byRelation = Map.groupBy(
    rows.filter(({ definer }) => definer),
    ({ relation }) => Number(relation),
  );
  return file.tables
    .filter((rule) => rule.insert !== undefined || rule.update !== undefined || rule.delete !== undefined)
    .flatMap((rule) => relationsOf(rule, file, catalog).map((relation) => ({ rule, relation })))
    .flatMap(({ rule, relation }) =>
      (byRelation.get(relation.oid) ?? []).map(({ what }) => ({
        file: file.file,
        line: rule.line,
        setting: `tables.${relation.schema}.${relation.name}`,
        message: "a write sets off what is not judged",
        found: what,
        expected: "what may run with its owner's rights, whoever writes",
      })),
    );
}
