import type { Catalog } from "../../catalog/catalog.ts";
import type { Grants } from "../../policy/grants.ts";
import type { Problem } from "../../errors.ts";
import type { JudgeContext } from "../judgement.ts";

/** The server's own schemas, and those of its default path, of which every client knows. */
const everyone: ReadonlySet<string> = new Set(["", "information_schema", "pg_catalog", "pg_temp", "public"]);

/**
 * Schemas that a role may put into its search_path: those that its file speaks of, and those where extensions have their
 * functions, which tools name beside their own. Whether another schema exists is not told.
 */
function knows(schema: string, { grants, catalog }: Pick<JudgeContext, "grants" | "catalog">): boolean {
  if (everyone.has(schema) || schema === grants.role || namedSchemas(grants).has(schema)) return true;
  const functions = [...grants.functions].some((name) =>
    (catalog.functions.get(name) ?? []).some((found) => found.schema === schema),
  );
  return functions || extensionSchemas(catalog).has(schema);
}

const named = new WeakMap<Grants, ReadonlySet<string>>();

function namedSchemas(grants: Grants): ReadonlySet<string> {
  let found = named.get(grants);
  if (found === undefined) {
    const { tables, schemas, definitions, functions } = grants;
    const keys = [...tables.keys(), ...definitions.relations.keys()].map((key) => key.split("\0")[0]!);
    const qualified = [...functions].filter((name) => name.includes(".")).map((name) => name.split(".")[0]!);
    found = new Set([...keys, ...schemas.keys(), ...definitions.schemas.keys(), ...qualified]);
    named.set(grants, found);
  }
  return found;
}

const extensions = new WeakMap<Catalog, ReadonlySet<string>>();

function extensionSchemas(catalog: Catalog): ReadonlySet<string> {
  let found = extensions.get(catalog);
  if (found === undefined) {
    found = new Set(
      [...catalog.functions.values()]
        .flat()
        .filter(({ extension }) => extension !== undefined)
        .map(({ schema }) => schema),
    );
    extensions.set(catalog, found);
  }
  return found;
}

/**
 * Why a client must not have this search_path. The server's own functions, operators and types come first wherever a path
 * does not name pg_catalog; a path that puts another schema before it would let what somebody made there take part in the
 * rules' own expressions.
 * @param path the schemas as names, `"$user"` replaced by the role.
 */
export function searchPathProblem(
  path: readonly string[],
  context: Pick<JudgeContext, "grants" | "catalog">,
): Problem | undefined {
  if (path.indexOf("pg_catalog") > 0)
    return pathProblem("pg_catalog can only come first.", "Leave pg_catalog out; it is searched first then.");
  const unknown = path.find((schema) => !knows(schema, context));
  if (unknown === undefined) return undefined;
  const { grants } = context;
  return pathProblem(
    `${grants.file} has no rule for anything in schema "${unknown}".`,
    `Role "${grants.role}" knows: ${[...new Set(["public", ...namedSchemas(grants)])].toSorted().join(", ")}.`,
  );
}

function pathProblem(detail: string, hint: string): Problem {
  return {
    code: "setting_not_allowed",
    message: 'permission denied to set parameter "search_path" to this value',
    detail,
    hint,
  };
}
