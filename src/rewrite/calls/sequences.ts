import type { AlterSeqStmt, CreateSeqStmt, DefElem, Node } from "@pgsql/types";
import { refuse } from "../../errors.ts";
import { nameParts } from "../text/dotted-name.ts";
import { judgeStatementParts } from "../defining/definition-parts.ts";
import {
  created,
  existing,
  writtenName,
  writtenRelation,
  type Target,
} from "../defining/definition-targets.ts";
import { defines } from "../defining/define-effect.ts";
import { unsupported, type Judgement } from "../judgement.ts";
import { indexOf, startOf } from "../text/source.ts";
import type { Effect } from "../verdict.ts";

export function judgeCreateSequence(judgement: Judgement, statement: CreateSeqStmt): Effect {
  const { sequence, options } = statement;
  const target = created(judgement, writtenRelation(sequence), "sequence", sequence?.relpersistence);
  const judged = new Set<object>([sequence!]);
  judgeSequenceOptions(judgement, options, target, judged);
  judgeStatementParts(judgement, { CreateSeqStmt: statement }, judged);
  return defines(target, "sequence");
}

export function judgeAlterSequence(judgement: Judgement, statement: AlterSeqStmt): Effect {
  const { sequence, options, missing_ok: missingOk = false } = statement;
  const target = existing(judgement, writtenRelation(sequence), "alter", { missingOk });
  const judged = new Set<object>([sequence!]);
  judgeSequenceOptions(judgement, options, target, judged);
  judgeStatementParts(judgement, { AlterSeqStmt: statement }, judged);
  return defines(target, "sequence");
}

/**
 * Judges the options of a sequence, an identity column's included: `OWNED BY` changes the table that it names, and
 * `SEQUENCE NAME` makes a sequence.
 * @param judged gets the options that were looked at.
 */
export function judgeSequenceOptions(
  judgement: Judgement,
  options: readonly Node[] | undefined,
  target: Target,
  judged: Set<object>,
): void {
  for (const option of options ?? []) {
    if (!("DefElem" in option)) return unsupported("this option of a sequence");
    const { defname } = option.DefElem;
    if (defname === "owned_by") judgeOwner(judgement, option.DefElem);
    else if (defname === "sequence_name") judgeSequenceName(judgement, option.DefElem, target);
    else continue;
    judged.add(option.DefElem);
  }
}

/** `OWNED BY table.column`, `OWNED BY NONE`. */
function judgeOwner(judgement: Judgement, option: DefElem): void {
  const parts = listOf(option.arg);
  if (parts.length === 1 && nameParts(parts)[0] === "none") return;
  const written = writtenName(parts.slice(0, -1), nameIndex(judgement, option, 2));
  const table = existing(judgement, { ...written, qualify: () => {} }, "alter");
  if (written.schema === undefined) parts.unshift({ String: { sval: table.schema } });
}

/** pg_dump writes the name that it found; elsewhere than beside the table it would be one more thing to judge. */
function judgeSequenceName(judgement: Judgement, option: DefElem, table: Target): void {
  const parts = listOf(option.arg);
  const written = writtenName(parts, nameIndex(judgement, option, 2));
  if ((written.schema ?? table.schema) !== table.schema)
    unsupported("SEQUENCE NAME in another schema than the table's");
  created(judgement, { ...written, schema: table.schema }, "sequence", table.temporary ? "t" : "p");
}

function listOf(arg: Node | undefined): Node[] {
  if (arg === undefined || !("List" in arg)) return unsupported("this option of a sequence");
  return (arg.List.items ??= []);
}

/** The byte offset of the name behind an option's words. */
function nameIndex(judgement: Judgement, { location }: DefElem, words: number): number {
  if (location === undefined) refuse("internal", "an option of a sequence stands nowhere");
  return startOf(judgement.source, indexOf(judgement.source, location) + words);
}
