import type { CastFacts, TypeFacts } from "./catalog.ts";
import { extensionOf, firstOfDatabase, temporary } from "./system-queries.ts";

// An array and what it holds are told as one: whatever is done to the one is done to the other.
const element = (type: string) =>
  `(select case when typcategory = 'A' and typelem <> 0 then typelem else oid end from pg_type where oid = ${type})`;
const text = (type: string) => `format_type(${element(type)}, -1)`;
const isMade = (type: string) => `${element(type)} >= ${firstOfDatabase}`;

/** Functions that neither the server nor an extension brought, of a list of OIDs. */
const madeFunctions = (oids: string) => `
  (select json_agg(distinct jsonb_build_array(n.nspname, p.proname))
     from (${oids}) f(oid) join pg_proc p on p.oid = f.oid join pg_namespace n on n.oid = p.pronamespace
    where p.oid >= ${firstOfDatabase} and ${extensionOf("pg_proc", "p.oid")} is null)`;

// What a value of the type is made of: the type below a domain, attributes, what a range is over; and what a row can be
// turned into, the rows of its table's parents.
const parts = `
  (select json_agg(distinct ${text("q.oid")}) from (
      select t.typbasetype union all select r.rngsubtype from pg_range r where t.oid in (r.rngtypid, r.rngmultitypid)
      union all select r.rngtypid from pg_range r where r.rngmultitypid = t.oid
      union all select a.atttypid from pg_attribute a
                 where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
      union all select c.reltype from pg_inherits i join pg_class c on c.oid = i.inhparent
                 where i.inhrelid = t.typrelid) q(oid)
    where ${isMade("q.oid")})`;

// pg_depend tells of the functions and operators in a check those that are not the server's own.
const makes = madeFunctions(`
  select case d.refclassid when 'pg_proc'::regclass then d.refobjid
           else (select o.oprcode from pg_operator o where o.oid = d.refobjid) end
    from pg_constraint k join pg_depend d on d.classid = 'pg_constraint'::regclass and d.objid = k.oid
   where k.contypid = t.oid and d.refclassid in ('pg_proc'::regclass, 'pg_operator'::regclass)
  union all select r.rngcanonical from pg_range r where r.rngtypid = t.oid
  union all select t.typinput union all select t.typreceive union all select t.typmodin`);

// pg_am.dat: 403 is btree, 405 hash. Their default operator classes sort, group and compare.
const compares = madeFunctions(`
  select s.amproc from pg_opclass c join pg_amproc s on s.amprocfamily = c.opcfamily
   where c.opcintype = t.oid and c.opcdefault and c.opcmethod in (403, 405)
     and t.oid in (s.amproclefttype, s.amprocrighttype)
  union all
  select o.oprcode from pg_opclass c join pg_amop s on s.amopfamily = c.opcfamily
    join pg_operator o on o.oid = s.amopopr
   where c.opcintype = t.oid and c.opcdefault and c.opcmethod in (403, 405)
     and t.oid in (s.amoplefttype, s.amoprighttype)
  union all select r.rngsubdiff from pg_range r where r.rngtypid = t.oid`);

/** A SELECT of one value: types outside the server's schemas, without the arrays that come with them. */
export const types = `
  select json_agg(json_build_array(n.nspname, t.typname, format_type(t.oid, -1), t.oid::int8, t.typarray::int8,
      t.typtype, (t.typtype = 'd' and not ${isMade("t.typbasetype")})::int,
      case when t.typispreferred then 2 when t.typcategory = 'S' then 1 else 0 end, ${parts}, ${makes}, ${compares},
      (select a.typname from pg_type a where a.oid = t.typarray)) order by n.nspname, t.typname)
    from pg_type t join pg_namespace n on n.oid = t.typnamespace
   where n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and n.nspname !~ ${temporary}
     and not exists (select from pg_type e where e.typarray = t.oid)`;

/** A SELECT of one value. */
export const casts = `
  select json_agg(json_build_array(${text("c.castsource")}, ${text("c.casttarget")}, c.castsource::int8,
      ${isMade("c.castsource")}, ${isMade("c.casttarget")}, c.castcontext, n.nspname, p.proname,
      ${extensionOf("pg_cast", "c.oid")} is not null or ${extensionOf("pg_proc", "p.oid")} is not null) order by c.oid)
    from pg_cast c left join pg_proc p on p.oid = c.castfunc left join pg_namespace n on n.oid = p.pronamespace
   where c.oid >= ${firstOfDatabase}`;

const own = `o.oid < ${firstOfDatabase}`;
const operand = (type: string) =>
  `case when ${type} = 0 then null else json_build_array(${text(type)}, ${isMade(type)}, exists (
      select from pg_operator b where b.oprname = m.oprname and b.oid < ${firstOfDatabase}
        and b.oprleft = ${type} and b.oprright = ${type})) end`;

/** A SELECT of one value: operators that are not the server's own. */
export const operators = `
  select json_agg(json_build_array(n.nspname, m.oprname, ${extensionOf("pg_operator", "m.oid")},
      f.nspname, p.proname, ${operand("m.oprleft")}, ${operand("m.oprright")},
      exists (select from pg_operator o where o.oprname = m.oprname and ${own})) order by m.oid)
    from pg_operator m join pg_namespace n on n.oid = m.oprnamespace
    join pg_proc p on p.oid = m.oprcode join pg_namespace f on f.oid = p.pronamespace
   where m.oid >= ${firstOfDatabase} and n.nspname !~ ${temporary}`;

type FunctionName = readonly [schema: string, name: string];

export type TypeRow = readonly [
  schema: string,
  name: string,
  text: string,
  oid: number,
  array: number,
  kind: TypeFacts["kind"],
  overBuiltin: number,
  /** 2: literals and values of its category become it before others; 1: literals do where no built-in type fits. */
  preference: number,
  parts: readonly string[] | null,
  makes: readonly FunctionName[] | null,
  compares: readonly FunctionName[] | null,
  arrayName: string | null,
];

export type CastRow = readonly [
  source: string,
  target: string,
  sourceOid: number,
  sourceMade: boolean,
  targetMade: boolean,
  context: CastFacts["context"],
  schema: string | null,
  name: string | null,
  ofExtension: boolean,
];

type OperandRow = readonly [type: string, made: boolean, ownOfTwo: boolean] | null;

export type OperatorRow = readonly [
  schema: string,
  name: string,
  extension: string | null,
  functionSchema: string,
  functionName: string,
  left: OperandRow,
  right: OperandRow,
  ownOfName: boolean,
];
