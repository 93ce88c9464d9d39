import type { Node } from "@pgsql/types";
import { refuse } from "../../errors.ts";
import { unsupported } from "../judgement.ts";

/**
 * Storage parameters (documentation, CREATE TABLE and CREATE VIEW) that say how rows are kept and tidied up, or how a
 * view shows them. Those that are not here change what the server does beyond that (user_catalog_table).
 */
const ofRelations: ReadonlySet<string> = new Set([
  "autovacuum_analyze_scale_factor",
  "autovacuum_analyze_threshold",
  "autovacuum_enabled",
  "autovacuum_freeze_max_age",
  "autovacuum_freeze_min_age",
  "autovacuum_freeze_table_age",
  "autovacuum_multixact_freeze_max_age",
  "autovacuum_multixact_freeze_min_age",
  "autovacuum_multixact_freeze_table_age",
  "autovacuum_vacuum_cost_delay",
  "autovacuum_vacuum_cost_limit",
  "autovacuum_vacuum_insert_scale_factor",
  "autovacuum_vacuum_insert_threshold",
  "autovacuum_vacuum_max_threshold",
  "autovacuum_vacuum_scale_factor",
  "autovacuum_vacuum_threshold",
  "check_option",
  "fillfactor",
  "log_autovacuum_min_duration",
  "oids",
  "parallel_workers",
  "security_barrier",
  "security_invoker",
  "toast_tuple_target",
  "vacuum_index_cleanup",
  "vacuum_max_eager_freeze_failure_rate",
  "vacuum_truncate",
]);

/** Per column (documentation, ALTER TABLE). */
const ofColumns: ReadonlySet<string> = new Set(["n_distinct", "n_distinct_inherited"]);

/**
 * Judges `WITH (…)`, `SET (…)` and `RESET (…)`. What an index may have is its access method's own to say: it concerns
 * nothing but the index.
 * @param judged gets the options: their words stand in the tree as names of types.
 */
export function judgeOptions(
  options: readonly Node[] | undefined,
  of: "relation" | "column" | "index",
  judged: Set<object> = new Set(),
): void {
  for (const option of options ?? []) {
    if (!("DefElem" in option)) return unsupported("this option");
    const { defname = "", defnamespace, arg } = option.DefElem;
    const known = of === "index" || (of === "column" ? ofColumns : ofRelations).has(defname);
    if (!known || (defnamespace !== undefined && defnamespace !== "toast"))
      refuse("statement_not_allowed", `the storage parameter ${defname} is not allowed`, {
        detail: "It is not one of those that say how rows are kept.",
        hint: "Leave it out; fillfactor and the settings of autovacuum can be given.",
      });
    if (arg !== undefined && !isPlain(arg)) unsupported(`this value of ${defname}`);
    judged.add(option.DefElem);
  }
}

/** A number or a word: the grammar reads a bare word as the name of a type. */
function isPlain(arg: Node): boolean {
  if ("TypeName" in arg) return arg.TypeName.names?.length === 1 || arg.TypeName.names?.length === 2;
  return ["Integer", "Float", "String", "Boolean"].some((kind) => kind in arg);
}

/** Places of their own for files and other ways of storing rows are the administrator's to choose. */
export function judgeStorage({
  tablespace,
  accessMethod,
}: {
  readonly tablespace: string | undefined;
  readonly accessMethod?: string | undefined;
}): void {
  const named = tablespace === undefined ? accessMethod : "TABLESPACE";
  if (named === undefined || named === "heap") return;
  refuse(
    "statement_not_allowed",
    tablespace === undefined ? "USING is not allowed here" : "TABLESPACE is not allowed",
    {
      detail: "Where and how rows are stored is for the administrator to say.",
      hint: "Leave it out, and the database's own is taken.",
    },
  );
}
