import type { ConfigProblem } from "../document/problem.ts";
import type { Definition, RoleFile } from "./role-file.ts";

type Columns = { readonly columns: unknown } | undefined;

/** The parts of a relation's rules that can leave something of it out; a role file's entry and a grant both are. */
type Rules = {
  readonly select:
    | { readonly columns: unknown; readonly mask: { readonly size: number }; readonly rows: unknown }
    | undefined;
  readonly insert: { readonly columns: unknown; readonly check: unknown } | undefined;
  readonly update: { readonly columns: unknown; readonly rows: unknown; readonly check: unknown } | undefined;
  readonly delete: { readonly rows: unknown } | undefined;
};

/** What of a relation a role's select rule leaves out. */
export function hiddenParts({ select }: Pick<Rules, "select">): string[] {
  return [
    ...lists("select", select),
    ...(select !== undefined && select.mask.size > 0 ? ["select.mask"] : []),
    ...(select?.rows === undefined ? [] : ["select.rows"]),
  ];
}

/**
 * What of a relation its rules leave out, conditions on writing included: whoever may rename columns moves values past
 * any rule that speaks of columns.
 */
export function limitedParts(rules: Rules): string[] {
  const { insert, update, delete: remove } = rules;
  const conditions = {
    "insert.check": insert?.check,
    "update.rows": update?.rows,
    "update.check": update?.check,
    "delete.rows": remove?.rows,
  };
  return [
    ...hiddenParts(rules),
    ...lists("insert", insert),
    ...lists("update", update),
    ...Object.entries(conditions).flatMap(([name, rule]) => (rule === undefined ? [] : [name])),
  ];
}

function lists(name: string, part: Columns): string[] {
  return part === undefined || part.columns === "all" ? [] : [`${name}.columns`];
}

/** Definitions of which the rules of a relation must leave everything open, and those that only its reading must. */
const changing: ReadonlySet<Definition> = new Set(["create", "alter"]);
const observing: ReadonlySet<Definition> = new Set(["index"]);

/** The parts of a relation's rules with which a definition cannot be allowed. */
export function partsAgainst(definition: Definition, rules: Rules): string[] {
  if (changing.has(definition)) return limitedParts(rules);
  return observing.has(definition) ? hiddenParts(rules) : [];
}

/** Entries of `definitions` that the same file's rules for the relation rule out. */
export function definitionProblems({ file, tables, definitions }: RoleFile): ConfigProblem[] {
  return definitions.flatMap(({ schema, name, line, allowed }) => {
    const own = tables.find((rule) => rule.schema === schema && rule.name === name);
    const rules = own ?? tables.find((rule) => rule.schema === schema && rule.name === "*");
    if (rules === undefined) return [];
    return allowed.flatMap((definition) => {
      const parts = partsAgainst(definition, rules);
      if (parts.length === 0) return [];
      return [
        {
          file,
          line,
          setting: "definitions",
          message: `${definition} cannot be allowed on what the role does not see and write whole`,
          found: `${schema}.${name} has ${parts.join(", ")} (line ${rules.line})`,
          expected: "rules for it without columns, mask, rows and check; or another list",
        },
      ];
    });
  });
}
