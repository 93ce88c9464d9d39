import type { IndexStmt } from "@pgsql/types";
import { definedRelation } from "../../catalog/local-objects.ts";
import { judgeStatementParts } from "./definition-parts.ts";
import { existing, writtenRelation } from "./definition-targets.ts";
import type { Judgement } from "../judgement.ts";
import { judgeOptions, judgeStorage } from "./storage-options.ts";
import { judgeTemporaryName } from "./temporary-names.ts";
import type { Effect } from "../verdict.ts";

/** CREATE INDEX. Its expressions run on every row, and a unique one tells of rows that are alike. */
export function judgeCreateIndex(judgement: Judgement, statement: IndexStmt): Effect {
  const { relation, idxname, indexParams = [], whereClause, unique } = statement;
  judgeStorage({ tablespace: statement.tableSpace });
  const judged = new Set<object>([relation!]);
  judgeOptions(statement.options, "index", judged);
  const computes = indexParams.some((part) => "IndexElem" in part && part.IndexElem.expr !== undefined);
  const observes = unique === true || computes || whereClause !== undefined;
  const table = existing(judgement, writtenRelation(relation), "index", { observes });
  if (table.temporary && idxname !== undefined) judgeTemporaryName(judgement, idxname);
  judgeStatementParts(judgement, { IndexStmt: statement }, judged);
  // It lies in its table's schema.
  const index = idxname === undefined ? undefined : definedRelation(table.schema, idxname, "index");
  return {
    kind: "define",
    changes: index === undefined ? [] : [{ kind: "relation", relation: index, untilCommit: false }],
    ofDatabase: !table.temporary,
  };
}
