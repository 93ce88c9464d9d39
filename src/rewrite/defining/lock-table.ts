import type { LockStmt, RangeVar } from "@pgsql/types";
import type { Relation } from "../../catalog/catalog.ts";
import { resolveRelation } from "../../catalog/resolve-relation.ts";
import { refuse } from "../../errors.ts";
import type { TableGrant } from "../../policy/grants.ts";
import { isCatalogSchema } from "../catalogs/catalog-relations.ts";
import { definitionGrant } from "./definition-rights.ts";
import { qualifyName, shownAs, writtenRelation } from "./definition-targets.ts";
import { unsupported, type Judgement } from "../judgement.ts";
import { denied, resolveUse, tableGrant } from "../relations.ts";

/** Lock levels (lockdefs.h): what may be held by who reads, by who writes, and what stops others from writing. */
const accessShare = 1;
const rowExclusive = 3;

/**
 * LOCK TABLE, by the server's own rule for privileges (LockTableAclCheck in lockcmds.c): a mode that keeps others from
 * writing takes a role that could write every row itself, so that nobody stops those whose rows it does not reach.
 */
export function judgeLockTable(judgement: Judgement, { relations, mode = 8 }: LockStmt): void {
  for (const node of relations ?? []) {
    if (!("RangeVar" in node)) return unsupported("this form of LOCK TABLE");
    judgeLocked(judgement, node.RangeVar, mode);
  }
}

function judgeLocked(judgement: Judgement, rangeVar: RangeVar, mode: number): void {
  const { grants, catalog, searchPath } = judgement.context;
  const written = writtenRelation(rangeVar);
  const relation = resolveRelation(catalog, judgement.local, written.schema, written.name, searchPath);
  if (relation === undefined) {
    judgement.unresolved = true;
    return denied(grants, shownAs(written), "select");
  }
  judgement.relations.add(`${relation.schema}.${relation.name}`);
  if (isCatalogSchema(relation.schema)) {
    // Refuses what cannot be read.
    resolveUse(judgement, rangeVar, "select");
    if (mode > accessShare) refuseMode(written, "Catalogs can be locked in ACCESS SHARE mode alone.");
  } else {
    const grant = tableGrant(grants, relation);
    judgeMode(judgement, relation, grant, mode, shownAs(written));
    if (grant !== undefined) judgement.rules.add(grant.rule);
  }
  qualifyName(judgement, written, relation.schema);
}

function judgeMode(
  judgement: Judgement,
  relation: Relation,
  grant: TableGrant | undefined,
  mode: number,
  shown: string,
): void {
  const { grants } = judgement.context;
  const defined = definitionGrant(judgement, relation)?.allowed ?? new Set();
  const defines = (["alter", "drop", "truncate"] as const).some((definition) => defined.has(definition));
  const writes = grant?.insert ?? grant?.update ?? grant?.delete;
  if (writes === undefined && !defines) {
    if (grant?.select === undefined) return denied(grants, shown, "select");
    if (mode > accessShare) return denied(grants, shown, "update");
  }
  if (mode <= rowExclusive || defines) return;
  // A view's lock is put on every table under it.
  if (relation.kind === "view") return refuseLevel(shown, "Of a view all tables under it would be locked.");
  const rows = grant?.select?.rows ?? undefined;
  const open = [grant?.update, grant?.delete].some((rule) => rule !== undefined && rule.rows === undefined);
  if (!open || rows !== undefined)
    refuseLevel(shown, "It would stop others from writing rows that the role itself cannot change.");
}

function refuseMode(written: Parameters<typeof shownAs>[0], detail: string): never {
  return refuseLevel(shownAs(written), detail);
}

function refuseLevel(shown: string, detail: string): never {
  refuse("relation_not_allowed", `permission denied to lock ${shown} in this mode`, {
    detail,
    hint: "ACCESS SHARE, ROW SHARE and ROW EXCLUSIVE do not stop others from writing.",
  });
}
