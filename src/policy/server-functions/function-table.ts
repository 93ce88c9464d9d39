import { aggregateFunctions } from "./aggregates.ts";
import { arrayFunctions } from "./arrays-and-ranges.ts";
import { catalogFunctions } from "./catalogs.ts";
import { dateFunctions } from "./dates.ts";
import type { FunctionClass, FunctionGroup } from "./function-group.ts";
import { geometryFunctions } from "./geometry.ts";
import { inputOutputFunctions } from "./input-output.ts";
import { internalFunctions } from "./internals.ts";
import { documentFunctions } from "./json-and-xml.ts";
import { networkFunctions } from "./networks.ts";
import { numberFunctions } from "./numbers.ts";
import { administrationFunctions } from "./server.ts";
import { sessionFunctions } from "./session.ts";
import { statisticsFunctions } from "./statistics.ts";
import { systemValueFunctions } from "./system-values.ts";
import { textFunctions } from "./text.ts";
import { textSearchFunctions } from "./text-search.ts";

/**
 * Every function of pg_catalog and information_schema in PostgreSQL 15 to 18, each name in exactly one group. A name
 * that stands nowhere is refused, so a function of a later version is closed until someone has looked at it.
 *
 * Sources: pg_proc of the four versions; what each function was seen to do when it was called with canary values; the
 * documentation and the source of those whose arguments are names, OIDs or SQL.
 */
export const functionGroups: readonly FunctionGroup[] = [
  ...numberFunctions,
  ...textFunctions,
  ...dateFunctions,
  ...documentFunctions,
  ...arrayFunctions,
  ...geometryFunctions,
  ...networkFunctions,
  ...textSearchFunctions,
  ...aggregateFunctions,
  ...systemValueFunctions,
  ...catalogFunctions,
  ...inputOutputFunctions,
  ...sessionFunctions,
  ...statisticsFunctions,
  ...administrationFunctions,
  ...internalFunctions,
];

/** What the table says of a function. */
export type ServerFunction = { readonly class: FunctionClass; readonly nullOf: string | undefined };

const byName: ReadonlyMap<string, ServerFunction> = new Map(
  functionGroups.flatMap(({ class: kind, nullOf, names }) =>
    names
      .trim()
      .split(/\s+/)
      .map((name) => [name, { class: kind, nullOf }] as const),
  ),
);

/**
 * One of the server's own functions; undefined: the table does not have it.
 * @param takes the number of arguments that the function is declared with.
 */
export function serverFunction(name: string, takes: number): ServerFunction | undefined {
  return byName.get(name) ?? byName.get(`${name}/${takes}`);
}

/** Every class that some overload of a name has. */
export function classesOf(name: string): readonly FunctionClass[] {
  const known = byName.get(name);
  if (known !== undefined) return [known.class];
  return [...byName].filter(([key]) => key.startsWith(`${name}/`)).map(([, found]) => found.class);
}
