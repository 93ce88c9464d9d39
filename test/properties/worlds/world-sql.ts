import { quoted, typesSql } from "./columns.ts";
import { dataSql, stateSql, tableSql } from "./tables-sql.ts";
import { identity, qualified, type Rules, type Table, type World } from "./world.ts";

/** The schemas of the generated tables; in the native database the tables' own are called `base_…`. */
const schemas = ["public", "crm"] as const;

const base = (schema: string): string => `base_${schema}`;

/** Functions that the tests themselves call beside a statement, with every right. */
export const witnessFunctions = ["world_state"] as const;

/** The database that is served through the proxy. */
export function servedSql(world: World): string {
  return [
    typesSql,
    "create schema crm;",
    ...world.tables.map((table, index) => tableSql(world, table, index)),
    dataSql(world),
    stateSql(world),
  ].join("\n");
}

/**
 * The same data for a role to which the server itself gives the rules: tables under row security in schemas of their
 * own, and in the schemas of the served database a security_barrier view for each table that the role may use.
 * @param owner owns the views, and is who row security is about.
 * @param client may use the views.
 */
export function nativeSql(world: World, owner: string, client: string): string {
  return [
    typesSql,
    "create schema crm;",
    ...schemas.map((schema) => `create schema ${base(schema)};`),
    ...world.tables.map((table, index) => tableSql(world, table, index, base)),
    dataSql(world, base),
    ...schemas.map(
      (
        schema,
      ) => `grant usage on schema ${base(schema)} to ${owner}; grant usage on schema ${schema} to ${client}, ${owner};
      grant create on schema ${schema} to ${owner};
      grant all on all tables in schema ${base(schema)} to ${owner};`,
    ),
    `set role ${owner};`,
    ...world.tables.map((table) => viewSql(table, client)),
    "reset role;",
    ...world.tables.map((table) => securitySql(table, owner)),
    stateSql(world, base),
  ].join("\n");
}

/** What stands in the role file under `tables`. */
export function roleTables(world: World): Record<string, object> {
  return Object.fromEntries(
    world.tables.flatMap((table) => {
      const { rules } = table;
      if (rules === undefined) return [];
      const all = table.columns.map(({ name }) => name);
      const columns = (listed: readonly string[]) =>
        listed.length === all.length ? {} : { columns: listed.map(quoted) };
      const { select, insert, update } = rules;
      const masks = Object.fromEntries(
        [...(select?.masks ?? [])].map(([name, mask]) => [quoted(name), mask]),
      );
      const entry = {
        ...(select && {
          select: orAll({
            ...columns(select.columns),
            ...(select.masks.size > 0 && { mask: masks }),
            ...expression("rows", select.rows),
          }),
        }),
        ...(insert && {
          insert: orAll({ ...columns(insert.columns), ...expression("check", insert.check) }),
        }),
        ...(update && {
          update: orAll({
            ...columns(update.columns),
            ...expression("rows", update.rows),
            ...expression("check", update.check),
          }),
        }),
        ...(rules.delete && { delete: orAll(expression("rows", rules.delete.rows)) }),
      };
      return [[table.schema === "public" ? quoted(table.name) : qualified(table), entry]];
    }),
  );
}

const expression = (key: string, text: string | undefined): object =>
  text === undefined ? {} : { [key]: text.replaceAll(/@(\w+)/g, "identity.$1") };

const orAll = (rule: object): object | "all" => (Object.keys(rule).length === 0 ? "all" : rule);

/** An expression of a rule with the identity's attributes as the literals that they are. */
const literal = (rule: string): string =>
  rule
    .replaceAll("@tenants", `'{${identity.tenants.join(",")}}'`)
    .replaceAll("@tenant", `'${identity.tenant}'`);

/** All of some rules; those that there are not let everything pass. */
const all = (...rules: readonly (string | undefined)[]): string =>
  rules.flatMap((rule) => (rule === undefined ? [] : [`(${literal(rule)})`])).join(" and ") || "true";

function viewSql(table: Table, client: string): string {
  const { rules } = table;
  if (rules?.select === undefined) return "";
  const { select } = rules;
  const listed = table.columns
    .filter(({ name }) => select.columns.includes(name))
    .map(({ name }) => {
      const mask = select.masks.get(name);
      return mask === undefined ? quoted(name) : `(${literal(mask)}) as ${quoted(name)}`;
    });
  const where = select.rows === undefined ? "" : ` where (${literal(select.rows)})`;
  const view = (name: string, only: string): string => `
    create view ${qualified({ schema: table.schema, name })} with (security_barrier) as
      select ${listed.join(", ")} from ${only}${qualified({ schema: base(table.schema), name: table.name })}${where};
    grant select on ${qualified({ schema: table.schema, name })} to ${client};`;
  const name = qualified(table);
  return `${view(table.name, "")} ${view(onlyName(table.name), "only ")} ${writeGrants(rules, table, name, client)}`;
}

/** ONLY says nothing of a view, so in the native database a view of its own stands for it. */
export function onlyName(name: string): string {
  return `${name} only`;
}

function writeGrants(rules: Rules, table: Table, name: string, client: string): string {
  const shown = (columns: readonly string[]): string =>
    columns
      .filter((column) => rules.select!.columns.includes(column) && !rules.select!.masks.has(column))
      .map(quoted)
      .join(", ");
  const grants = [
    rules.insert && `insert (${shown(rules.insert.columns)})`,
    rules.update && `update (${shown(rules.update.columns)})`,
    rules.delete && "delete",
  ].filter((right) => right !== undefined);
  return table.shape === "view" || grants.length === 0
    ? ""
    : `grant ${grants.join(", ")} on ${name} to ${client};`;
}

/** Row security behind the views: what is written through them, and which new rows RETURNING may show. */
function securitySql(table: Table, owner: string): string {
  const { rules, shape } = table;
  if (rules === undefined || shape === "view") return "";
  const name = qualified({ schema: base(table.schema), name: table.name });
  const rows = rules.select?.rows;
  const policies = [
    `for select using (${all(rows)})`,
    rules.insert && `for insert with check (${all(rules.insert.check)})`,
    rules.update &&
      `for update using (${all(rows, rules.update.rows)}) with check (${all(rows, rules.update.rows, rules.update.check)})`,
    rules.delete && `for delete using (${all(rules.delete.rows)})`,
  ].filter((policy) => policy !== undefined);
  return `alter table ${name} enable row level security;
    ${policies.map((policy, index) => `create policy p${index} on ${name} ${policy.replace(/^(for \w+)/, `$1 to ${owner}`)};`).join("\n")}`;
}
