import type { Catalog, CastFacts, FunctionName, OperatorFacts, TypeFacts } from "../../catalog/catalog.ts";
import { firstOfDatabase } from "../../catalog/system-queries.ts";
import type { Grants } from "../../policy/grants.ts";
import { mayRun } from "./function-rulings.ts";

/**
 * What runs a function that the role may not call, without a call by name. Nearly every database has none of these,
 * and then nothing of a statement is looked at twice.
 */
export type DeniedCalls = {
  readonly any: boolean;
  readonly operators: ReadonlyMap<string, readonly OperatorFacts[]>;
  readonly casts: readonly (CastFacts & { readonly function: FunctionName })[];
  /** By `TypeFacts.text`: a function that runs when a value is made, and one that runs when two are compared. */
  readonly makes: ReadonlyMap<string, FunctionName>;
  readonly compares: ReadonlyMap<string, FunctionName>;
  /** OIDs of types in `makes`: a parameter's value is made when it is bound, in whatever statement. */
  readonly parameterTypes: ReadonlySet<number>;
};

const known = new WeakMap<Grants, { readonly catalog: Catalog; readonly denied: DeniedCalls }>();

export function deniedCalls(catalog: Catalog, grants: Grants): DeniedCalls {
  const last = known.get(grants);
  if (last?.catalog === catalog) return last.denied;
  const denied = findDenied(catalog, grants);
  known.set(grants, { catalog, denied });
  return denied;
}

function findDenied(catalog: Catalog, grants: Grants): DeniedCalls {
  const open = (called: FunctionName): boolean => mayRun(catalog, grants, called);
  const operators = [...catalog.operators.values()]
    .flat()
    .filter((found) => found.extension === undefined && !open(found.function));
  const casts = catalog.casts.flatMap((cast) =>
    cast.function === undefined || cast.ofExtension || open(cast.function)
      ? []
      : [{ ...cast, function: cast.function }],
  );
  const types = [...catalog.typesByText.values()];
  const makes = deniedOf(types, grants, (type) => type.makes, open);
  const compares = deniedOf(types, grants, (type) => type.compares, open);
  return {
    any: operators.length + casts.length + compares.size + makes.size > 0,
    operators: Map.groupBy(operators, ({ name }) => name),
    casts,
    makes,
    compares,
    parameterTypes: new Set(types.filter(({ text }) => makes.has(text)).flatMap(({ oids }) => oids)),
  };
}

/** A type that the role file names under `functions` may run what belongs to it. */
function deniedOf(
  types: readonly TypeFacts[],
  { functions }: Grants,
  calls: (type: TypeFacts) => readonly FunctionName[],
  open: (called: FunctionName) => boolean,
): ReadonlyMap<string, FunctionName> {
  return new Map(
    types
      .filter(({ schema, name }) => !functions.has(name) && !functions.has(`${schema}.${name}`))
      .flatMap((type) => {
        const denied = calls(type).find((called) => !open(called));
        return denied === undefined ? [] : [[type.text, denied] as const];
      }),
  );
}

/** True if binding a parameter of a type, by OID, runs a function that the role may not call. */
export function makesDenied(
  { catalog, grants }: { readonly catalog: Catalog; readonly grants: Grants },
  oid: number,
): boolean {
  return oid >= firstOfDatabase && deniedCalls(catalog, grants).parameterTypes.has(oid);
}
