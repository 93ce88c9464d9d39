import type { definitionNames } from "./role-schema.ts";

/** An SQL expression of a role file, with the place it stands at. Columns by name, attributes as `identity.<attribute>`. */
export type RuleExpression = { readonly sql: string; readonly file: string; readonly line: number };

export type SelectRule = {
  readonly columns: "all" | readonly string[];
  /** Column → expression shown in its place. */
  readonly mask: ReadonlyMap<string, RuleExpression>;
  readonly rows: RuleExpression | undefined;
  readonly line: number;
};
type InsertRule = {
  readonly columns: "all" | readonly string[];
  readonly check: RuleExpression | undefined;
  readonly line: number;
};
type UpdateRule = {
  readonly columns: "all" | readonly string[];
  readonly rows: RuleExpression | undefined;
  readonly check: RuleExpression | undefined;
  readonly line: number;
};
type DeleteRule = { readonly rows: RuleExpression | undefined; readonly line: number };

/** The rules of one entry under `tables:`. */
export type TableRule = {
  readonly schema: string;
  /** `*`: every relation of the schema that no other entry names. */
  readonly name: string;
  readonly line: number;
  readonly select: SelectRule | undefined;
  readonly insert: InsertRule | undefined;
  readonly update: UpdateRule | undefined;
  readonly delete: DeleteRule | undefined;
};

/** One entry under `definitions:`. */
export type DefinitionRule = {
  readonly schema: string;
  /** `*`: every relation of the schema, and what is made in it. */
  readonly name: string;
  readonly line: number;
  readonly allowed: readonly Definition[];
};

/** What may be defined of a relation. */
export type Definition = (typeof definitionNames)[number];

/** What a session may hold beyond a statement. */
export type SessionRule = {
  readonly temporaryTables: boolean;
  readonly advisoryLocks: boolean;
  readonly twoPhase: boolean;
  /** Names of channels; `*` at the end matches any rest. */
  readonly listen: readonly string[];
  readonly notify: readonly string[];
};

/** What the catalogs show beside names and types. */
export type CatalogRule = {
  readonly definitions: "shown" | "hidden";
  readonly comments: "shown" | "hidden";
};

/** One `roles/*.yaml`, validated. */
export type RoleFile = {
  readonly role: string;
  readonly database: string;
  readonly description: string | undefined;
  /** As the operator wrote it, relative to the configuration file. */
  readonly file: string;
  /** The line that says that the database role's own rights are the only bound: there are no rules then. */
  readonly unrestricted: number | undefined;
  readonly tables: readonly TableRule[];
  readonly definitions: readonly DefinitionRule[];
  readonly session: SessionRule;
  readonly catalogs: CatalogRule;
  /** Functions allowed beside the safe built-in ones: `name` or `schema.name`. */
  readonly functions: readonly string[];
  /** Settings allowed beside the safe default list. */
  readonly settings: readonly string[];
  /** Milliseconds; undefined: the server's own. */
  readonly statementTimeout: number | undefined;
  /** Where the entries of these lists stand. */
  readonly lines: {
    readonly functions: ReadonlyMap<string, number>;
    readonly settings: ReadonlyMap<string, number>;
  };
};

/** Every expression of a table's rules. */
export function expressionsOf({ select, insert, update, delete: remove }: TableRule): RuleExpression[] {
  const rules = [select?.rows, insert?.check, update?.rows, update?.check, remove?.rows];
  return [...(select?.mask.values() ?? []), ...rules].filter((source) => source !== undefined);
}
