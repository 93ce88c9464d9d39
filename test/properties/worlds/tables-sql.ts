import { quoted } from "./columns.ts";
import { qualified, type Table, type World } from "./world.ts";

/** Where a schema's tables are, which in a native database is another schema. */
type SchemaOf = (schema: string) => string;

const asNamed: SchemaOf = (schema) => schema;

/** The table that holds a table's rows. */
function stored({ schema, name, shape }: Table, schemaOf: SchemaOf): string {
  return qualified({ schema: schemaOf(schema), name: shape === "view" ? `${name} stored` : name });
}

const part = (table: Table, index: number, suffix: string, schemaOf: SchemaOf): string =>
  qualified({ schema: schemaOf(table.schema), name: `part_${index}_${suffix}` });

/** Statistics, which plans follow, are gathered where a test says so and nowhere else. */
const quietly = " with (autovacuum_enabled = off)";

/** A table's definition, with its partitions, its child or the view that shows it. */
export function tableSql(world: World, table: Table, index: number, schemaOf = asNamed): string {
  const { shape, columns, refersTo } = table;
  const target = refersTo === undefined ? undefined : stored(world.tables[refersTo]!, schemaOf);
  const definitions = columns.map((column) => {
    if (column.name === "id") return "id int primary key";
    if (column.name === "twice") return "twice int generated always as (id * 2) stored";
    const reference = column.name === "ref" && target !== undefined ? ` references ${target}` : "";
    return `${quoted(column.name)} ${column.type}${reference}`;
  });
  const name = stored(table, schemaOf);
  const create = `create table ${name} (${definitions.join(", ")})`;
  switch (shape) {
    case "table":
      return `${create}${quietly};`;
    case "partitioned":
      return `${create} partition by range (id);
        create table ${part(table, index, "low", schemaOf)} partition of ${name} for values from (minvalue) to (4)${quietly};
        create table ${part(table, index, "high", schemaOf)} partition of ${name} for values from (4) to (maxvalue)${quietly};`;
    case "inherited":
      return `${create}${quietly}; create table ${part(table, index, "child", schemaOf)} (more text) inherits (${name})${quietly};`;
    case "view":
      return `${create}${quietly}; create view ${qualified({ ...table, schema: schemaOf(table.schema) })} as select * from ${name};`;
    default:
      return shape satisfies never;
  }
}

/** Every row of every table. */
export function dataSql({ tables }: World, schemaOf = asNamed): string {
  return tables
    .map((table, index) => {
      const name = stored(table, schemaOf);
      if (table.shape !== "inherited") return insert(name, table.rows);
      const columns = table.columns.map((column) => quoted(column.name)).join(", ");
      const [own, child] = [
        table.rows.filter((_, row) => row % 3 !== 2),
        table.rows.filter((_, row) => row % 3 === 2),
      ];
      return `${insert(name, own)} ${insert(`${part(table, index, "child", schemaOf)} (${columns})`, child)}`;
    })
    .join("\n");
}

function insert(into: string, rows: Table["rows"]): string {
  const values = rows.map((row) => `(${row.values.join(", ")})`);
  return values.length === 0 ? "" : `insert into ${into} values ${values.join(", ")};`;
}

/** Every table that holds rows, partitions aside. */
export function storedTables({ tables }: World): readonly string[] {
  return tables.flatMap((table, index) => [
    stored(table, asNamed),
    ...(table.shape === "inherited" ? [part(table, index, "child", asNamed)] : []),
  ]);
}

/** `world_state()`: every row of every table, as text. */
export function stateSql(world: World, schemaOf = asNamed): string {
  const rows = world.tables.map(
    (table, index) => `select ${index} || t::text as line from ${stored(table, schemaOf)} t`,
  );
  return `create function world_state() returns text language sql volatile security definer
    begin atomic select string_agg(line, chr(10) order by line) from (${rows.join(" union all ")}) s; end;
    grant execute on function world_state() to public;`;
}
