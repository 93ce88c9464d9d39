import type { TestDatabase } from "../../pg/embedded-database.ts";
import type { Choices } from "./choices.ts";
import { quoted } from "./columns.ts";
import { qualified, visibleColumns, type Table, type World } from "./world.ts";

/** A function of the server's, by the types of its arguments. */
export type Callable = { readonly name: string; readonly types: readonly string[]; readonly rows: boolean };

/** Every function of pg_catalog that SQL can call. */
export async function callables(database: TestDatabase): Promise<readonly Callable[]> {
  const { rows } = await database.query(`
    select p.proname as name, p.proretset as rows,
           array(select format_type(t, null) from unnest(p.proargtypes::oid[]) with ordinality u(t, o) order by o) as types
      from pg_proc p where p.pronamespace = 'pg_catalog'::regnamespace and p.prokind in ('f', 'a', 'w')
       and not 'internal'::regtype = any(p.proargtypes::oid[]) order by p.oid`);
  return rows as Callable[];
}

/** Every relation of the catalogs, by its qualified name. */
export async function catalogs(database: TestDatabase): Promise<readonly string[]> {
  const { rows } = await database.query(`
    select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname in ('pg_catalog', 'information_schema') and c.relkind in ('r', 'v') order by 1`);
  return (rows as { name: string }[]).map(({ name }) => name);
}

/** A call with arguments that name what is hidden, or that are what is hidden. */
export function hostileCall(choices: Choices, world: World, callable: Callable): string {
  const ruled = world.tables.filter(({ rules }) => rules?.select !== undefined);
  const from = choices.pick(ruled);
  const values = callable.types.map((type) => argument(choices, world, from, type));
  const call = `pg_catalog.${quoted(callable.name)}(${values.join(", ")})`;
  const table = qualified(from);
  return choices.pick([
    () => `select ${call} from ${table} t`,
    () =>
      `select ${call}`.replaceAll(/\bt\.("?)/g, "null || $1").replaceAll(/null \|\| "?[^",)]*"?/g, "null"),
    () => `select t.id from ${table} t where ${call} is not null`,
    () => `select * from ${table} t, lateral ${callable.rows ? call : `(select ${call})`} f`,
    () => `select count(*) from ${table} t group by ${call}`,
  ])();
}

/** Values of types that name things, or stand for them. */
function argument(choices: Choices, world: World, from: Table, type: string): string {
  const named = choices.pick(world.tables);
  const name = qualified(named).replaceAll("'", "''");
  const column = choices.pick(named.columns).name.replaceAll("'", "''");
  const own = (types: readonly string[]): string | undefined => {
    const fitting = visibleColumns(from).filter((known) => types.includes(known.type));
    return fitting.length === 0 ? undefined : `t.${quoted(choices.pick(fitting).name)}`;
  };
  if (/^(?:text|name|cstring|character varying|character|"char"|unknown)$/.test(type))
    return choices.pick([
      () => `'${name}'::${type}`,
      () => `'${column}'::${type}`,
      () => `'select * from ${name}'::${type}`,
      () => `${own(["text", "varchar(60)"]) ?? "'x'"}::${type}`,
      () => `'public'::${type}`,
    ])();
  if (/^(?:oid|reg\w+)$/.test(type))
    return choices.pick([
      `'${name}'::regclass::oid::${type}`,
      `'pg_class'::regclass::oid::${type}`,
      `1::oid::${type}`,
    ]);
  if (/^(?:smallint|integer|bigint|real|double precision|numeric)$/.test(type))
    return choices.pick([`1::${type}`, `0::${type}`, `${own(["int"]) ?? "2"}::${type}`]);
  if (type.startsWith("any"))
    return type.includes("array")
      ? choices.pick([own(["int[]", "text[]"]) ?? "array[1]", "array[1, 2]"])
      : choices.pick([own(["text", "int", "jsonb"]) ?? "1", "t", "'x'::text"]);
  if (type === "record") return "t";
  if (type === "boolean") return "true";
  if (type === "jsonb" || type === "json")
    return choices.pick([
      `to_jsonb(t)::${type}`,
      `'{"a": 1}'::${type}`,
      `${own(["jsonb"]) ?? "'{}'"}::${type}`,
    ]);
  if (type === "text[]") return choices.pick([`array['${column}']`, own(["text[]"]) ?? "array['id']"]);
  return `null::${type}`;
}

/** Catalogs of megabytes, whose rows are compared by a digest. */
const large = /pg_(?:rewrite|proc|description|attribute|operator|rules|views|depend|collation|type)$/;

/** A question about a catalog. */
export function catalogQuestion(choices: Choices, catalog: string): string {
  if (large.test(catalog))
    return `select count(*), md5(string_agg(c::text, '|' order by c::text)) from ${catalog} c`;
  return choices.pick([
    () => `select * from ${catalog}`,
    () => `select c::text from ${catalog} c`,
    () => `select row_to_json(c)::text from ${catalog} c`,
    () => `table ${catalog}`,
    () => `select count(*), count(c), max(c::text) from ${catalog} c`,
    () => `copy (select * from ${catalog}) to stdout`,
    () => `copy ${catalog} to stdout`,
    () => `explain (verbose) select * from ${catalog}`,
  ])();
}
