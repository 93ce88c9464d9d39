import type { AlterTableCmd, AlterTableStmt } from "@pgsql/types";
import type { RelationKind } from "../../catalog/catalog.ts";
import { definedRelation } from "../../catalog/local-objects.ts";
import { refuse } from "../../errors.ts";
import { judgeColumn } from "./create-table.ts";
import { judgeStatementParts } from "./definition-parts.ts";
import { allowsDefinition } from "./definition-rights.ts";
import { existing, writtenRelation, type Target } from "./definition-targets.ts";
import { defines, together } from "./define-effect.ts";
import { judgeChildren, judgeDropped } from "./dependents-reached.ts";
import { unsupported, type Judgement } from "../judgement.ts";
import { judgeSequenceOptions } from "../calls/sequences.ts";
import { judgeOptions } from "./storage-options.ts";
import { judgeConstraint, looksAtRows } from "./table-constraints.ts";
import type { Effect } from "../verdict.ts";

/** What ALTER may be of, with the kind of relation that its name then has. */
const alterable: Readonly<Record<string, RelationKind>> = {
  OBJECT_TABLE: "table",
  OBJECT_INDEX: "index",
  OBJECT_SEQUENCE: "sequence",
  OBJECT_VIEW: "view",
  OBJECT_MATVIEW: "materialized view",
};

/**
 * The sub-commands that a role can be allowed. `blind`: it looks at no row; `looks`: it computes over the rows or holds
 * something against them; `depends`: as its own definition says.
 */
const commands: Readonly<Record<string, "blind" | "looks" | "depends">> = {
  AT_AddColumn: "depends",
  AT_AddColumnToView: "blind",
  AT_DropColumn: "blind",
  AT_ColumnDefault: "blind",
  AT_AlterColumnType: "looks",
  AT_SetNotNull: "looks",
  AT_DropNotNull: "blind",
  AT_SetExpression: "looks",
  AT_DropExpression: "blind",
  AT_SetStatistics: "blind",
  AT_SetOptions: "blind",
  AT_ResetOptions: "blind",
  AT_SetStorage: "blind",
  AT_SetCompression: "blind",
  AT_AddIdentity: "blind",
  AT_SetIdentity: "blind",
  AT_DropIdentity: "blind",
  AT_AddConstraint: "looks",
  AT_AlterConstraint: "looks",
  AT_ValidateConstraint: "looks",
  AT_DropConstraint: "blind",
  AT_SetRelOptions: "blind",
  AT_ResetRelOptions: "blind",
  AT_SetLogged: "blind",
  AT_SetUnLogged: "blind",
  AT_ClusterOn: "blind",
  AT_DropCluster: "blind",
  AT_AddInherit: "looks",
  AT_DropInherit: "looks",
  AT_AttachPartition: "looks",
  AT_DetachPartition: "looks",
  AT_DetachPartitionFinalize: "looks",
};

/** ALTER TABLE, INDEX, SEQUENCE and VIEW, by sub-command. */
export function judgeAlterTable(judgement: Judgement, statement: AlterTableStmt): Effect {
  const { relation, cmds = [], objtype = "OBJECT_TABLE", missing_ok: missingOk = false } = statement;
  const each = cmds.map((node) =>
    "AlterTableCmd" in node ? node.AlterTableCmd : unsupported("this form of ALTER TABLE"),
  );
  const observes = each.some(looks);
  const target = existing(judgement, writtenRelation(relation), "alter", { observes, missingOk });
  const judged = new Set<object>([relation!]);
  for (const command of each) judgeCommand(judgement, command, target, judged);
  judgeStatementParts(judgement, { AlterTableStmt: statement }, judged);
  const grant = allowsDefinition(judgement, target, "alter");
  const children =
    relation?.inh === true && !target.temporary ? judgeChildren(judgement, target, grant, "alter") : [];
  const { catalog } = judgement.context;
  return together([
    defines(target, alterable[objtype]!),
    ...children.map(({ schema, name }) => ({
      kind: "define" as const,
      changes: [
        {
          kind: "relation" as const,
          relation: definedRelation(schema, name, "table", catalog.relations.get(`${schema}\0${name}`)),
          untilCommit: false,
        },
      ],
      ofDatabase: true,
    })),
  ]);
}

function looks({ subtype, def }: AlterTableCmd): boolean {
  if (subtype === undefined) return unsupported("this form of ALTER TABLE");
  if (!Object.hasOwn(commands, subtype)) return refuseCommand(subtype);
  if (commands[subtype] !== "depends") return commands[subtype] === "looks";
  const constraints = def !== undefined && "ColumnDef" in def ? (def.ColumnDef.constraints ?? []) : [];
  return constraints.some((node) => "Constraint" in node && looksAtRows(node.Constraint));
}

/** `AT_EnableRowSecurity` → `ENABLE ROW SECURITY`. */
function refuseCommand(subtype: string): never {
  const words = subtype
    .replace(/^AT_/, "")
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ")
    .toUpperCase();
  return refuse("statement_not_allowed", `ALTER TABLE … ${words} is not allowed`, {
    detail:
      "Owners, triggers, rules, row security, and where and how rows are stored are not for a role to change.",
    hint: "Columns, constraints, names, storage parameters, partitions and inheritance can be changed.",
  });
}

function judgeCommand(
  judgement: Judgement,
  { subtype, def, behavior }: AlterTableCmd,
  table: Target,
  judged: Set<object>,
): void {
  if (behavior === "DROP_CASCADE")
    judgeDropped(judgement, table, allowsDefinition(judgement, table, "alter"), true);
  if (def === undefined) return;
  if ("ColumnDef" in def) judgeColumn(judgement, def.ColumnDef, table, judged);
  if ("Constraint" in def) judgeConstraint(judgement, def.Constraint, table, judged);
  if (subtype === "AT_SetIdentity" && "List" in def)
    judgeSequenceOptions(judgement, def.List.items, table, judged);
  if ((subtype === "AT_SetRelOptions" || subtype === "AT_ResetRelOptions") && "List" in def)
    judgeOptions(def.List.items, table.relation?.kind === "index" ? "index" : "relation", judged);
  if ((subtype === "AT_SetOptions" || subtype === "AT_ResetOptions") && "List" in def)
    judgeOptions(def.List.items, "column", judged);
  const other = "RangeVar" in def ? def.RangeVar : "PartitionCmd" in def ? def.PartitionCmd.name : undefined;
  if (other === undefined) return;
  // Rows of the one are rows of the other from then on, or no longer.
  existing(judgement, writtenRelation(other), "alter", { observes: true });
  judged.add(other);
}
