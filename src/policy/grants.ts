import { refuse } from "../errors.ts";
import { relationKey } from "../catalog/catalog.ts";
import type { AttributeValue, Subject } from "../identity/identity.ts";
import { quoteLiteral } from "../sql/names.ts";
import type { Parser } from "../sql/parser.ts";
import { readExpression, renderExpression, type Expression, type ExpressionProblem } from "./expression.ts";
import {
  expressionsOf,
  type CatalogRule,
  type Definition,
  type RoleFile,
  type RuleExpression,
  type SessionRule,
  type TableRule,
} from "./role-file.ts";

/** A rule with one identity's attributes in it. */
export type BoundExpression = {
  /** Where it stands, for the record and for refusals: `roles/analyst.yaml:7 customers.select.rows`. */
  readonly rule: string;
  readonly columns: readonly string[];
  /** An error of it may quote a value of the row (quoting.ts). */
  readonly quotes: boolean;
  /** As the role file has it. */
  readonly sql: string;
  /** As SQL, the columns qualified by the alias (bare if undefined). */
  render(qualifier: string | undefined): string;
};

type Columns = "all" | ReadonlySet<string>;

/** What a role may do with one relation, for one identity. */
export type TableGrant = {
  /** The rule's place: `roles/analyst.yaml:4 customers`. */
  readonly rule: string;
  readonly select:
    | {
        readonly columns: Columns;
        readonly mask: ReadonlyMap<string, BoundExpression>;
        readonly rows: BoundExpression | undefined;
      }
    | undefined;
  readonly insert: { readonly columns: Columns; readonly check: BoundExpression | undefined } | undefined;
  readonly update:
    | {
        readonly columns: Columns;
        readonly rows: BoundExpression | undefined;
        readonly check: BoundExpression | undefined;
      }
    | undefined;
  readonly delete: { readonly rows: BoundExpression | undefined } | undefined;
};

/** What a role may define of a relation; the rule is its place: `roles/migrator.yaml:4 definitions app.*`. */
export type DefinitionGrant = { readonly rule: string; readonly allowed: ReadonlySet<Definition> };

/** What a role may define, by relation as `relationKey` names it and by schema. */
type Definitions = {
  readonly relations: ReadonlyMap<string, DefinitionGrant>;
  readonly schemas: ReadonlyMap<string, DefinitionGrant>;
};

/** A role's rules for one identity: what the judgement looks things up in. Immutable. */
export type Grants = {
  readonly role: string;
  readonly file: string;
  /** The place that says that the database role's own rights are the only bound, in the form of a rule; there are no rules then. */
  readonly unrestricted: string | undefined;
  /** Equal keys, equal grants: the role in its edition, the attributes that its rules use, and whose name they need. Verdicts are kept under it. */
  readonly key: string;
  readonly tables: ReadonlyMap<string, TableGrant>;
  /** Entries `schema.*`, by schema. */
  readonly schemas: ReadonlyMap<string, TableGrant>;
  readonly definitions: Definitions;
  readonly session: SessionRule;
  readonly catalogs: CatalogRule;
  /** As written in the file: `name` or `schema.name`. */
  readonly functions: ReadonlySet<string>;
  readonly settings: ReadonlySet<string>;
  /** Milliseconds. */
  readonly statementTimeout: number | undefined;
  /** What they were made of, as plain data: with these another thread can make its own. */
  readonly origin: { readonly role: Role; readonly identity: Subject };
};

/** A role file whose expressions have been parsed. */
export type Role = {
  readonly file: RoleFile;
  readonly expressions: ReadonlyMap<RuleExpression, Expression>;
  /** Attributes that the rules need, sorted. */
  readonly attributes: readonly string[];
  /** Rules that have changed are another edition: verdicts under the old ones must not hold for the new. */
  readonly edition: number;
};

/** Parses a role file's rules; all that is wrong is reported at once. */
export function compileRole(
  file: RoleFile,
  parser: Parser,
  edition = 1,
): { kind: "role"; role: Role } | { kind: "refused"; problems: readonly ExpressionProblem[] } {
  const expressions = new Map<RuleExpression, Expression>();
  const problems: ExpressionProblem[] = [];
  for (const source of file.tables.flatMap(expressionsOf)) {
    const read = readExpression(source, parser);
    if (read.kind === "refused") problems.push(read.problem);
    else expressions.set(source, read.expression);
  }
  if (problems.length > 0) return { kind: "refused", problems };
  const attributes = [
    ...new Set([...expressions.values()].flatMap((expression) => expression.attributes)),
  ].toSorted();
  return { kind: "role", role: { file, expressions, attributes, edition } };
}

/**
 * The role's rules for one identity.
 * @throws RolegateError attribute_missing where a rule needs what the identity lacks: such a rule could only
 *   be guessed at, so the role is not given.
 */
export function bindGrants(role: Role, identity: Subject): Grants {
  const literals = new Map<string, string>();
  for (const path of role.attributes) {
    const value = attribute(identity, path);
    if (value === undefined || value === null)
      refuse("attribute_missing", `role "${role.file.role}" needs an attribute that this identity lacks`, {
        detail: `The rules of role "${role.file.role}" use identity.${path}.`,
        hint: "Ask for the attribute to be set for this identity, or take another role.",
      });
    literals.set(path, literal(value));
  }
  const bind = (source: RuleExpression | undefined, what: string): BoundExpression | undefined => {
    if (source === undefined) return undefined;
    const expression = role.expressions.get(source)!;
    return {
      rule: `${source.file}:${source.line} ${what}`,
      columns: expression.columns,
      quotes: expression.quotes,
      sql: source.sql,
      render: (qualifier) => renderExpression(expression, qualifier, (path) => literals.get(path)!),
    };
  };
  const tables = new Map<string, TableGrant>();
  const schemas = new Map<string, TableGrant>();
  for (const rule of role.file.tables) {
    const name = rule.schema === "public" ? rule.name : `${rule.schema}.${rule.name}`;
    const grant = bindTable(rule, name, role.file.file, bind);
    if (rule.name === "*") schemas.set(rule.schema, grant);
    else tables.set(relationKey(rule.schema, rule.name), grant);
  }
  return {
    role: role.file.role,
    file: role.file.file,
    unrestricted:
      role.file.unrestricted === undefined
        ? undefined
        : `${role.file.file}:${role.file.unrestricted} unrestricted`,
    // Prepared transactions are called by the identity's name (prepared-transactions.ts).
    key: JSON.stringify([
      role.edition,
      role.file.database,
      role.file.role,
      [...literals],
      ...(role.file.session.twoPhase ? [identity.name] : []),
    ]),
    tables,
    schemas,
    definitions: definitionsOf(role.file),
    session: role.file.session,
    catalogs: role.file.catalogs,
    functions: new Set(role.file.functions),
    settings: new Set(role.file.settings.map((name) => name.toLowerCase())),
    statementTimeout: role.file.statementTimeout,
    origin: { role, identity },
  };
}

function definitionsOf({ file, definitions }: RoleFile): Definitions {
  const entries = definitions.map(({ schema, name, line, allowed }) => {
    const shown = schema === "public" ? name : `${schema}.${name}`;
    return {
      schema,
      name,
      grant: { rule: `${file}:${line} definitions ${shown}`, allowed: new Set(allowed) },
    };
  });
  return {
    relations: new Map(
      entries
        .filter(({ name }) => name !== "*")
        .map(({ schema, name, grant }) => [relationKey(schema, name), grant]),
    ),
    schemas: new Map(entries.filter(({ name }) => name === "*").map(({ schema, grant }) => [schema, grant])),
  };
}

function bindTable(
  rule: TableRule,
  name: string,
  file: string,
  bind: (source: RuleExpression | undefined, what: string) => BoundExpression | undefined,
): TableGrant {
  const { select, insert, update } = rule;
  return {
    rule: `${file}:${rule.line} ${name}`,
    select: select && {
      columns: columns(select.columns),
      mask: new Map(
        [...select.mask].map(([column, source]) => [column, bind(source, `${name}.select.mask.${column}`)!]),
      ),
      rows: bind(select.rows, `${name}.select.rows`),
    },
    insert: insert && { columns: columns(insert.columns), check: bind(insert.check, `${name}.insert.check`) },
    update: update && {
      columns: columns(update.columns),
      rows: bind(update.rows, `${name}.update.rows`),
      check: bind(update.check, `${name}.update.check`),
    },
    delete: rule.delete && { rows: bind(rule.delete.rows, `${name}.delete.rows`) },
  };
}

function columns(listed: "all" | readonly string[]): Columns {
  return listed === "all" ? "all" : new Set(listed);
}

/** An attribute by dotted path. Only own properties count: `identity.constructor` is not an attribute. */
function attribute(identity: Subject, path: string): AttributeValue | undefined {
  if (path === "name") return identity.name;
  return Object.hasOwn(identity.attributes, path) ? identity.attributes[path] : undefined;
}

/**
 * An attribute as an SQL literal without a type, so that it takes the type of the column it is compared with.
 * Arrays are written as array literals (documentation, 8.15.2), every element quoted.
 */
function literal(value: Exclude<AttributeValue, null>): string {
  if (!Array.isArray(value)) return quoteLiteral(String(value));
  const elements = value.map(
    (element) => `"${String(element).replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`,
  );
  return quoteLiteral(`{${elements.join(",")}}`);
}
