import type { FunctionFacts } from "./catalog.ts";
import { extensionOf, firstOfDatabase, isCatalog, temporary } from "./system-queries.ts";

// What pg_get_function_result would print is of no use: the types that a call may give are, row types of the database's
// own and those in OUT arguments included. The server's own functions give none of those by themselves.
const gives = `
  (select json_agg(distinct format_type(t.oid, -1))
     from unnest(array[p.prorettype] || coalesce(p.proallargtypes, '{}')) a(type) join pg_type t on t.oid = a.type
    where not p.own and t.oid >= ${firstOfDatabase})`;

// Some argument is of a type whose input function is not immutable: a literal is read by the session's settings then. Enums
// depend on the catalog alone, arrays on what they hold.
const reads = `
  exists (select from unnest(p.proargtypes) a(type) join pg_type t on t.oid = a.type
    join pg_type e on e.oid = case when t.typcategory = 'A' and t.typelem <> 0 then t.typelem else t.oid end
    join pg_proc i on i.oid = e.typinput where i.provolatile <> 'i' and e.typtype <> 'e')::int`;

/** The names of the settings of CREATE FUNCTION … SET. */
const fixed = `(select string_agg(lower(split_part(c, '=', 1)), ' ' order by c) from unnest(p.proconfig) c)`;

/** A SELECT of one value. Overloads that differ in nothing that is known of them come as one. */
export const functions = `
  select json_agg(json_build_array(schema, name, kind, volatility, leakproof, definer, extension, own, least, most,
      gives::json, result, reads, fixed) order by f) from (
    select distinct p.nspname as schema, p.proname as name, p.prokind as kind, p.provolatile as volatility,
      p.proleakproof::int as leakproof, p.prosecdef::int as definer, p.own::int as own,
      ${extensionOf("pg_proc", "p.oid")} as extension, p.pronargs - p.pronargdefaults - p.spread as least,
      case when p.spread = 1 then null else p.pronargs end as most, ${gives}::text as gives,
      format_type(p.prorettype, -1) as result, ${reads} as reads, ${fixed} as fixed
      from (select p.*, n.nspname, p.oid < ${firstOfDatabase} and ${isCatalog("n.nspname")} as own,
              (p.provariadic <> 0)::int as spread
              from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname !~ ${temporary}) p) f`;

export type FunctionRow = readonly [
  schema: string,
  name: string,
  kind: FunctionFacts["kind"],
  volatility: FunctionFacts["volatility"],
  leakproof: number,
  securityDefiner: number,
  extension: string | null,
  own: number,
  least: number,
  most: number | null,
  gives: readonly string[] | null,
  result: string,
  reads: number,
  fixed: string | null,
];

export function functionOf([
  ...[
    schema,
    name,
    kind,
    volatility,
    leakproof,
    definer,
    extension,
    own,
    least,
    most,
    gives,
    result,
    reads,
    fixed,
  ]
]: FunctionRow): FunctionFacts {
  return {
    schema,
    name,
    kind,
    volatility,
    leakproof: leakproof === 1,
    securityDefiner: definer === 1,
    extension: extension ?? undefined,
    own: own === 1,
    takes: { least: Math.max(0, least), most: most ?? Infinity },
    gives: gives ?? [],
    result,
    reads: reads === 1,
    settings: fixed?.split(" ") ?? [],
  };
}
