import type { Catalog, FunctionFacts } from "../../catalog/catalog.ts";
import type { Grants } from "../../policy/grants.ts";
import { functionClasses, type FunctionClass } from "../../policy/server-functions/function-group.ts";
import { serverFunction } from "../../policy/server-functions/function-table.ts";

/** What becomes of a call of one function. */
export type Ruling =
  | { readonly kind: "run" }
  /** NULL of this type stands in its place. */
  | { readonly kind: "blank"; readonly type: string }
  /** Its arguments decide. */
  | { readonly kind: "judge"; readonly class: FunctionClass }
  | { readonly kind: "refuse"; readonly reason: string };

const run: Ruling = { kind: "run" };
const refuse = (reason: string): Ruling => ({ kind: "refuse", reason });

/** Does the role file name the function? A name without a schema means those of all schemas. */
export function isNamed({ functions }: Grants, { schema, name }: { schema: string; name: string }): boolean {
  return functions.has(name) || functions.has(`${schema}.${name}`);
}

/** The place at which the role file names it, for the record; undefined: nowhere. */
export function namingRule(
  { functions, file, origin }: Grants,
  { schema, name }: { schema: string; name: string },
): string | undefined {
  const named = [`${schema}.${name}`, name].find((one) => functions.has(one));
  if (named === undefined) return undefined;
  return `${file}:${origin.role.file.lines.functions.get(named) ?? 1} functions.allow.${named}`;
}

/**
 * What the role file and the table of the server's functions say of one function.
 * @param all every function that the same name could mean.
 */
export function rulingOf(candidate: FunctionFacts, all: readonly FunctionFacts[], grants: Grants): Ruling {
  const { schema, name, own } = candidate;
  const named = isNamed(grants, candidate);
  if (!own) {
    if (named) return run;
    // Extensions overload the server's own functions for their types (citext: max, replace, …).
    const overloads = all.some((found) => found.own);
    if (candidate.extension !== undefined && candidate.volatility !== "v" && overloads) return run;
    return refuse(
      `${schema}.${name} is not one of the server's own functions, and ${grants.file} does not allow it by name.`,
    );
  }
  const known = serverFunction(name, candidate.takes.most);
  if (known === undefined)
    return named ? run : refuse(`rolegate does not know what it does, and ${grants.file} does not allow it.`);
  const { class: kind, nullOf } = known;
  switch (functionClasses[kind]) {
    case "allowed":
      // A second witness, should the table be wrong about a version.
      return kind !== "safe" || candidate.volatility !== "v" || named ? run : refuse("It is volatile here.");
    case "blanked":
      return named ? run : { kind: "blank", type: nullOf! };
    case "shown":
      return named || isShown(kind, grants) ? run : { kind: "blank", type: nullOf! };
    case "judged":
      return named ? run : { kind: "judge", class: kind };
    case "named":
      return named
        ? run
        : refuse(`Functions of its kind are refused (${kind}). ${grants.file} can allow it by name.`);
    case "never":
      return refuse(`It would go past the rules, so no role file can allow it (${kind}).`);
    default:
      return functionClasses[kind] satisfies never;
  }
}

function isShown(kind: FunctionClass, { catalogs }: Grants): boolean {
  return (kind === "comments" ? catalogs.comments : catalogs.definitions) === "shown";
}

/** Could a call with so many arguments mean the function? Undefined: the number is not certain. */
export function couldTake({ takes }: FunctionFacts, count: number | undefined): boolean {
  return count === undefined || (takes.least <= count && count <= takes.most);
}

/**
 * `a.b` and `(a).b` call function b on a where a has no column b, whatever a's type. True if some function that the
 * role may not call could be meant.
 */
export function couldCallDenied({ functions }: Catalog, grants: Grants, name: string): boolean {
  const candidates = (functions.get(name) ?? []).filter((found) => couldTake(found, 1));
  return candidates.some((found) => rulingOf(found, candidates, grants).kind !== "run");
}

/** May a function run that nobody calls by its name: behind an operator, a cast, a domain or an operator class? */
export function mayRun(
  { functions }: Catalog,
  grants: Grants,
  called: { schema: string; name: string },
): boolean {
  const candidates = (functions.get(called.name) ?? []).filter(({ schema }) => schema === called.schema);
  return (
    candidates.length > 0 &&
    candidates.every(
      (found) =>
        (!found.own && found.extension !== undefined) || rulingOf(found, candidates, grants).kind === "run",
    )
  );
}
