import type { TypeName } from "@pgsql/types";
import type { Catalog, TypeFacts } from "../catalog/catalog.ts";
import { refuse } from "../errors.ts";
import { nameParts } from "./dotted-name.ts";
import { unsupported, type Judgement } from "./judgement.ts";

/**
 * Judges a type that a statement names: a value that becomes one of somebody's types may run a function of somebody's,
 * by CREATE CAST or by the check of a domain. Such a type takes a word of the role file, as a function does.
 * @throws RolegateError function_not_allowed
 */
export function judgeType(judgement: Judgement, typeName: TypeName): void {
  if (typeName.pct_type === true) unsupported("%TYPE");
  const names = nameParts(typeName.names);
  const name = names.at(-1) ?? "";
  const schema = names.length > 1 ? names.at(-2) : undefined;
  const { catalog, grants } = judgement.context;
  // An array type is named by its element in SQL, or by its own name with an underscore.
  const candidates = [name, name.replace(/^_/, "")].flatMap((bare) =>
    (catalog.types.get(bare) ?? []).map((found) => ({ ...found, name: bare })),
  );
  for (const found of candidates) {
    if (!calls(catalog, found) || (schema !== undefined && schema !== found.schema)) continue;
    if (grants.functions.has(found.name) || grants.functions.has(`${found.schema}.${found.name}`)) continue;
    refuse("function_not_allowed", `permission denied for type ${names.join(".")}`, {
      detail: `Values of type ${found.schema}.${found.name} can be made by functions that nobody allowed.`,
      hint: `It can be allowed under functions.allow in ${grants.file}.`,
    });
  }
}

/** A cast to or from the type, or a check of its domain, runs a function that is neither the server's nor an extension's. */
function calls({ casts }: Catalog, { text, makes }: TypeFacts): boolean {
  return (
    makes.length > 0 ||
    casts.some(
      (cast) =>
        (cast.source.type === text || cast.target.type === text) &&
        cast.function !== undefined &&
        cast.function.schema !== "pg_catalog" &&
        !cast.ofExtension,
    )
  );
}
