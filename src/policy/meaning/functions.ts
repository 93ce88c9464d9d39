import { dateFunction, temporal } from "./dates.ts";
import { everything, unknown, valueOf, type Analysis, type Operand } from "./operand.ts";
import { printingSettings, type MeaningSetting } from "./value-kinds.ts";

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}

/** Stable functions that print their arguments, or put them into JSON, as a cast to text would. */
const printing = words(`
  array_to_json array_to_string concat concat_ws format json_build_array json_build_object jsonb_build_array
  jsonb_build_object quote_literal quote_nullable row_to_json to_json to_jsonb`);

/** Stable functions that no setting has a part in. */
const independent = words(`
  clock_timestamp convert convert_from convert_to current_database current_user enum_first enum_last enum_range
  getdatabaseencoding getpgusername length now pg_column_size pg_typeof session_user statement_timestamp system_user
  transaction_timestamp version`);

/** Functions that may put their argument in quotes that it does not need. */
const quoting = words("format quote_ident");

/** Functions that find what a text names along the search_path. */
const naming = words(`
  current_schema current_schemas to_regclass to_regcollation to_regnamespace to_regoper to_regoperator to_regproc
  to_regprocedure to_regrole to_regtype`);

/** Text search: without a configuration of its own a call takes the session's. */
const textSearch = words(`
  get_current_ts_config json_to_tsvector jsonb_to_tsvector phraseto_tsquery plainto_tsquery to_tsquery to_tsvector
  ts_headline websearch_to_tsquery`);

/** By which a literal, or a value of another type, becomes an argument of a type that settings have a part in reading. */
const argumentSettings: readonly MeaningSetting[] = [...temporal, "lc_monetary", "search_path", "xmloption"];

/** A call of one of the server's own functions: notes on which settings it depends. @returns what it gives */
export function callSettings(analysis: Analysis, name: string, values: readonly Operand[]): Operand {
  const because = `${name}(…)`;
  const dated = dateFunction(analysis, name, values);
  if (dated !== undefined) return valueOf(dated);
  const facts = analysis.names.function("pg_catalog", name);
  const result = resultOf(analysis, facts?.results ?? [], values);
  if (name === "current_setting") {
    analysis.note([values[0]?.text?.toLowerCase() ?? "*"], because);
    return valueOf("plain");
  }
  if (quoting.has(name)) analysis.note(["quote_all_identifiers"], because);
  if (printing.has(name)) {
    for (const { kind } of values)
      if (kind !== "literal" && kind !== "null") analysis.note(printingSettings(kind), because);
    return valueOf("plain");
  }
  if (independent.has(name)) return result;
  if (naming.has(name)) {
    analysis.note(["search_path"], because);
    return result;
  }
  if (textSearch.has(name)) {
    analysis.note(["default_text_search_config", "search_path"], because);
    return result;
  }
  if (facts?.immutable !== true) {
    analysis.note(everything, because);
    return result;
  }
  if (facts.reads && !values.every(({ kind }) => kind === "plain" || kind === "null"))
    analysis.note(argumentSettings, because);
  return result;
}

/** A call of a function that is none of the server's own. */
export function foreignCall(
  analysis: Analysis,
  schema: string,
  name: string,
  values: readonly Operand[],
): Operand {
  const facts = analysis.names.function(schema, name);
  const because = `${schema}.${name}(…)`;
  if (facts?.immutable !== true)
    // Its body is read under the session's settings, search_path among them, where the function does not fix them itself.
    analysis.note(
      everything.filter((setting) => facts?.fixed.has(setting) !== true),
      because,
    );
  else if (facts.reads && !values.every(({ kind }) => kind === "plain" || kind === "null"))
    analysis.note(argumentSettings, because);
  return resultOf(analysis, facts?.results ?? [], values);
}

/** What a function gives, by the types of all functions of its name; a type of any kind is that of its arguments. */
function resultOf(analysis: Analysis, results: readonly string[], values: readonly Operand[]): Operand {
  const given = values.find(({ kind }) => kind !== "plain" && kind !== "literal" && kind !== "null");
  const found = results.map((type): Operand => {
    if (type.startsWith("any"))
      return given ?? values.find(({ kind }) => kind === "plain") ?? valueOf("plain");
    return analysis.names.typeOf(type);
  });
  const [first, ...more] = found;
  if (first === undefined) return unknown;
  if (more.every(({ kind, made }) => kind === first.kind && made === first.made)) return first;
  const own = found.every(({ made }) => made === undefined);
  const kinds = new Set(found.map(({ kind }) => kind));
  // Of numbers the one that is printed by a setting stands for both; of text and bytea the argument tells.
  if (own && [...kinds].every((kind) => kind === "plain" || kind === "float")) return valueOf("float");
  if (own && kinds.size === 2 && kinds.has("plain")) {
    if (given === undefined) return valueOf("plain");
    if (kinds.has(given.kind)) return given;
  }
  return unknown;
}
