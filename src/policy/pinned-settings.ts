import {
  relationKey,
  type Catalog,
  type FunctionFacts,
  type Relation,
  type TypeFacts,
} from "../catalog/catalog.ts";
import type { ConfigProblem } from "../document/problem.ts";
import type { Role } from "./grants.ts";
import { settingDependences } from "./meaning/dependences.ts";
import { unknown, type FunctionNature, type Operand, type RuleNames } from "./meaning/operand.ts";
import { kindOfServerType } from "./meaning/value-kinds.ts";
import { expressionsOf, type RuleExpression, type TableRule } from "./role-file.ts";

/** Why the sessions of a role have to keep a setting as it is. */
export type Pin = {
  readonly source: RuleExpression;
  /** The part of the rule that depends on the setting. */
  readonly because: string;
};

/** By the setting's name in lower case; `*` for all that have a dot in their name. */
export type Pins = ReadonlyMap<string, Pin>;

const known = new WeakMap<Role, { readonly catalog: Catalog; readonly pins: Pins }>();

/**
 * The settings that a role's rules depend on. A rule, check or mask is read and evaluated by the server under the settings
 * of the client's session, so a client that could change one of these would move the rule: `created_at >= '2025-01-01'`
 * by TimeZone, `to_char(birth, 'YYYY')` likewise.
 */
export function pinsOf(role: Role, catalog: Catalog): Pins {
  const last = known.get(role);
  if (last?.catalog === catalog) return last.pins;
  const pins = new Map<string, Pin>();
  for (const rule of role.file.tables)
    for (const relation of expressionsOf(rule).length === 0 ? [] : relationsOf(role, rule, catalog))
      for (const source of expressionsOf(rule))
        for (const { setting, because } of settingDependences(
          role.expressions.get(source)!.tree,
          namesIn(catalog, relation),
        ))
          if (!pins.has(setting)) pins.set(setting, { source, because });
  known.set(role, { catalog, pins });
  return pins;
}

/** The relations that an entry speaks of. */
function relationsOf({ file }: Role, { schema, name }: TableRule, catalog: Catalog): readonly Relation[] {
  if (name !== "*") {
    const relation = catalog.relations.get(relationKey(schema, name));
    return relation === undefined ? [] : [relation];
  }
  const own = new Set(file.tables.map((rule) => relationKey(rule.schema, rule.name)));
  return [...catalog.relations.values()].filter(
    (relation) => relation.schema === schema && !own.has(relationKey(schema, relation.name)),
  );
}

function namesIn(catalog: Catalog, relation: Relation): RuleNames {
  const typeOf = (text: string): Operand => {
    const type = text.replace(/(\[\])+$/, "");
    const made = catalog.typesByText.get(type);
    if (made !== undefined) return valueOfMade(made);
    const kind = kindOfServerType(type);
    return kind === undefined ? unknown : { kind, type: text };
  };
  return {
    column: (name) => {
      const column = relation.columns.find((candidate) => candidate.name === name);
      // The rule then fails, whatever the settings are.
      return column === undefined ? { kind: "plain" } : typeOf(column.type);
    },
    type: (schema, name) => {
      const found = (catalog.types.get(name) ?? []).filter(
        (type) => schema === undefined || type.schema === schema,
      );
      return { gives: found.length === 1 ? valueOfMade(found[0]!) : unknown, schemas: found.length };
    },
    typeOf,
    function: (schema, name) =>
      natureOf((catalog.functions.get(name) ?? []).filter((found) => found.schema === schema)),
    operator: (name) => {
      const others = catalog.operators.get(name);
      if (others === undefined) return undefined;
      const reached = reachedTypes(catalog);
      return {
        // A value of a built-in type becomes what a cast or a domain makes of it, a literal anything.
        takesBuiltin: (literals) =>
          others.some(({ takes }) => takes.filter((type) => !reached.has(type)).length <= literals),
        chosenBy: (type) => {
          const held = catalog.typesByText.get(type)?.holds ?? new Set([type]);
          return others.some(({ takes, operands }) =>
            [...takes, ...operands].some((taken) => held.has(taken)),
          );
        },
      };
    },
  };
}

const reachedIn = new WeakMap<Catalog, ReadonlySet<string>>();

/** Types of somebody's that values of built-in types become without being asked. */
function reachedTypes(catalog: Catalog): ReadonlySet<string> {
  let reached = reachedIn.get(catalog);
  if (reached === undefined) {
    const domains = [...catalog.typesByText.values()].filter(({ kind }) => kind === "d");
    const targets = catalog.casts.filter(({ context, source }) => context === "i" && !source.made);
    reached = new Set([...domains.map(({ text }) => text), ...targets.map(({ target }) => target.type)]);
    reachedIn.set(catalog, reached);
  }
  return reached;
}

/** Types of extensions that are read and printed as they are. */
const plainTypes: ReadonlySet<string> = new Set(["citext", "hstore", "ltree"]);

function valueOfMade({ kind, name, text }: TypeFacts): Operand {
  return { kind: kind === "e" || (kind === "b" && plainTypes.has(name)) ? "plain" : "unknown", made: text };
}

function natureOf(functions: readonly FunctionFacts[]): FunctionNature | undefined {
  const [first] = functions;
  if (first === undefined) return undefined;
  return {
    immutable: functions.every(({ volatility }) => volatility === "i"),
    reads: functions.some(({ reads }) => reads),
    fixed: new Set(
      [...first.settings].filter((setting) => functions.every(({ settings }) => settings.includes(setting))),
    ),
    results: [...new Set(functions.map(({ result }) => result))],
  };
}

/** For people: which settings the rules keep a client from changing, and why. */
export function pinNotes(role: Role, catalog: Catalog): ConfigProblem[] {
  const bySource = Map.groupBy(pinsOf(role, catalog), ([, { source }]) => source);
  return [...bySource].map(([{ file, line }, pins]) => ({
    file,
    line,
    setting: "",
    message: `sessions keep ${pins.map(([setting]) => (setting === "*" ? "settings of applications" : setting)).join(", ")} as the database has them`,
    found: [...new Set(pins.map(([, { because }]) => because))].join(", "),
    expected: "an expression in which no setting has a part, if clients are to choose it",
  }));
}
