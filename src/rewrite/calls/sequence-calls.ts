import type { FuncCall, Node } from "@pgsql/types";
import { relationKey, type Relation } from "../../catalog/catalog.ts";
import { resolveRelation } from "../../catalog/resolve-relation.ts";
import { refuse } from "../../errors.ts";
import { quoteLiteral, quoteQualified } from "../../sql/names.ts";
import { castString, constantString } from "../text/constant-string.ts";
import { lastName } from "../text/dotted-name.ts";
import { allowsDefinition } from "../defining/definition-rights.ts";
import { expressionTree } from "../text/fragment.ts";
import { edit, type Judgement } from "../judgement.ts";
import { readName } from "../text/regclass-text.ts";
import { tableGrant } from "../relations.ts";
import { closingIndex, commaIndex, indexAfterName, startOf, type Source } from "../text/source.ts";

/** What a call does with a sequence. To advance one is also what an insert into its table does by itself. */
type Use = "advance" | "set" | "read own" | "read";

const uses: Readonly<Record<string, Use>> = {
  nextval: "advance",
  setval: "set",
  // What the session itself was given before, by nextval or a default.
  currval: "read own",
  pg_sequence_last_value: "read",
  pg_get_sequence_data: "read",
};

const needs: Readonly<Record<Use, string>> = {
  advance: "an update rule for the sequence, or an insert rule for the table that it numbers",
  set: "an update rule for the sequence, or alter under definitions",
  "read own": "a select or update rule for the sequence, or an insert rule for the table that it numbers",
  read: "a select rule for the sequence",
};

/**
 * Judges a call that moves a sequence or shows where it stands, by the sequence that its argument names: an entry for
 * it under `tables`, or an insert rule for the table whose column it numbers. The name is sent qualified.
 * @throws RolegateError function_not_allowed
 */
export function judgeSequenceCall(judgement: Judgement, call: FuncCall): void {
  const shown = lastName(call.funcname) ?? "";
  const use = uses[shown];
  if (use === undefined) return judgeLastValue(judgement, shown);
  const sequences = sequencesOf(judgement, call);
  if (sequences === undefined)
    return denied(
      judgement,
      shown,
      `The sequence has to be named in the text, as in ${shown}('orders_id_seq').`,
    );
  for (const sequence of sequences) judgeUse(judgement, shown, use, sequence);
  return undefined;
}

function judgeUse(judgement: Judgement, shown: string, use: Use, sequence: Relation | undefined): void {
  const { catalog, grants } = judgement.context;
  const key = sequence && relationKey(sequence.schema, sequence.name);
  const table = catalog.relations.get(catalog.tablesOf.get(key ?? "") ?? "");
  const grant = sequence && tableGrant(grants, sequence);
  const owner = table && tableGrant(grants, table);
  const inserts = owner?.insert !== undefined;
  // Who may say ALTER SEQUENCE … RESTART may say it like this.
  const alters = sequence && allowsDefinition(judgement, sequence, "alter");
  const allowed: Readonly<Record<Use, boolean>> = {
    advance: (grant?.update ?? alters) !== undefined || inserts,
    set: (grant?.update ?? alters) !== undefined,
    "read own": (grant?.select ?? grant?.update) !== undefined || inserts,
    read: grant?.select !== undefined,
  };
  if (sequence === undefined || !allowed[use])
    return denied(judgement, shown, `Role "${grants.role}" needs ${needs[use]} (${grants.file}).`);
  judgement.relations.add(`${sequence.schema}.${sequence.name}`);
  judgement.rules.add((grant ?? owner ?? alters)!.rule);
  return undefined;
}

/** lastval() gives what the session was last given by any sequence, so there has to be something that it can insert. */
function judgeLastValue(judgement: Judgement, shown: string): void {
  const { grants } = judgement.context;
  const writes = [...grants.tables.values(), ...grants.schemas.values()].some(
    ({ insert, update }) => (insert ?? update) !== undefined,
  );
  if (!writes) denied(judgement, shown, `Role "${grants.role}" has no insert rule (${grants.file}).`);
}

/** @throws RolegateError function_not_allowed, in the same words whether or not there is such a sequence */
function denied({ context: { grants } }: Judgement, shown: string, detail: string): never {
  refuse("function_not_allowed", `permission denied for function ${shown}`, {
    detail,
    hint: `functions.allow in ${grants.file} can allow ${shown} for all sequences.`,
  });
}

/** Types that a name goes through on its way to being a sequence. */
const nameTypes: ReadonlySet<string> = new Set(["regclass", "text", "varchar"]);

/**
 * The sequences that a call's first argument can mean; undefined in the list: a name that means none, undefined: no
 * name at all. What the name means here is put in its place, so that it means the same there.
 */
function sequencesOf(judgement: Judgement, call: FuncCall): readonly (Relation | undefined)[] | undefined {
  const argument = call.args?.[0];
  if (argument !== undefined && "FuncCall" in argument) return ownedSequences(judgement, argument.FuncCall);
  const found = named(judgement, argument);
  if (found === undefined) return undefined;
  const { relation, qualified } = found;
  if (relation?.kind !== "sequence") return [undefined];
  if (!qualified) qualifyArgument(judgement, call, relation, "::pg_catalog.regclass");
  return [relation];
}

/** `pg_get_serial_sequence('table', 'column')` gives some sequence of the table's. */
function ownedSequences(judgement: Judgement, call: FuncCall): readonly (Relation | undefined)[] | undefined {
  const { catalog } = judgement.context;
  const given = lastName(call.funcname) === "pg_get_serial_sequence" && call.args?.length === 2;
  const found =
    given && constantString(call.args?.[1]) !== undefined ? named(judgement, call.args?.[0]) : undefined;
  if (found === undefined) return undefined;
  const { relation, qualified } = found;
  if (relation === undefined) return [undefined];
  if (!qualified) qualifyArgument(judgement, call, relation, "");
  const key = relationKey(relation.schema, relation.name);
  return [...catalog.tablesOf]
    .filter(([, table]) => table === key)
    .map(([sequence]) => catalog.relations.get(sequence))
    .filter((owned) => owned?.kind === "sequence");
}

function named(
  judgement: Judgement,
  argument: Node | undefined,
): { readonly relation: Relation | undefined; readonly qualified: boolean } | undefined {
  const text = castString(argument, nameTypes);
  const name = text === undefined ? undefined : readName(text);
  if (name === undefined) return undefined;
  const { catalog, searchPath } = judgement.context;
  const relation = resolveRelation(catalog, judgement.local, name.schema, name.name, searchPath);
  if (relation === undefined) judgement.unresolved = true;
  return { relation, qualified: name.schema !== undefined };
}

/** Puts a relation's full name in the place of a call's first argument. */
function qualifyArgument(judgement: Judgement, call: FuncCall, relation: Relation, cast: string): void {
  const { source, context } = judgement;
  const [start, end] = firstArgument(source, call);
  const text = quoteLiteral(quoteQualified(relation.schema, relation.name)) + cast;
  edit(judgement, start, end, text);
  call.args = [expressionTree(context.parser, text), ...(call.args ?? []).slice(1)];
}

/** Byte offsets of a call's first argument, white space around it included. */
function firstArgument(source: Source, call: FuncCall): readonly [start: number, end: number] {
  const open = indexAfterName(source, call.location ?? 0);
  const end = commaIndex(source, open + 1, closingIndex(source, open));
  return [source.tokens[open]!.end, startOf(source, end)];
}
