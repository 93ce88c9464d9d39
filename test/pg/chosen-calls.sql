-- Operators, casts and operator classes whose functions say that they were called. Whatever rolegate lets through for a
-- role that may call none of them must leave them silent.
create function say(name text) returns void language plpgsql as $$ begin raise notice 'CALLED %', name; end $$;

create type pair as (a integer, b text);
create function pair_eq(pair, pair) returns boolean language plpgsql as $$ begin perform say('pair_eq'); return true; end $$;
create operator = (leftarg = pair, rightarg = pair, function = pair_eq);
create function pair_plus(pair, integer) returns pair language plpgsql as $$ begin perform say('pair_plus'); return $1; end $$;
create operator + (leftarg = pair, rightarg = integer, function = pair_plus);

create type colour as enum ('r', 'g');
create function colour_eq(colour, colour) returns boolean language plpgsql as $$ begin perform say('colour_eq'); return true; end $$;
create operator = (leftarg = colour, rightarg = colour, function = colour_eq);
create function colour_text(colour) returns text language plpgsql as $$ begin perform say('colour_text'); return 'c'; end $$;
create cast (colour as text) with function colour_text(colour) as implicit;

create domain small as integer;
create function small_plus(small, text) returns integer language plpgsql as $$ begin perform say('small_plus'); return 1; end $$;
create operator + (leftarg = small, rightarg = text, function = small_plus);
create function loud(integer) returns boolean language plpgsql as $$ begin perform say('loud'); return true; end $$;
create domain checked as integer check (loud(value));

create type grade as (n integer);
create function grade_of(text) returns grade language plpgsql as $$ begin perform say('grade_of'); return row(1)::grade; end $$;
create cast (text as grade) with function grade_of(text) as assignment;
create function grade_number(grade) returns integer language plpgsql as $$ begin perform say('grade_number'); return 1; end $$;
create cast (grade as integer) with function grade_number(grade);

create type serialno as (n integer);
create function serialno_of(uuid) returns serialno language plpgsql as $$ begin perform say('serialno_of'); return row(1)::serialno; end $$;
create cast (uuid as serialno) with function serialno_of(uuid) as implicit;
create function serialno_near(serialno, serialno) returns boolean language plpgsql as $$ begin perform say('serialno_near'); return true; end $$;
create operator <-> (leftarg = serialno, rightarg = serialno, function = serialno_near);

create function uuid_number(uuid) returns bigint language plpgsql as $$ begin perform say('uuid_number'); return 1; end $$;
create cast (uuid as bigint) with function uuid_number(uuid) as implicit;

create type version as (n integer);
create function version_cmp(version, version) returns integer language plpgsql immutable as $$ begin perform say('version_cmp'); return 0; end $$;
create function version_lt(version, version) returns boolean language plpgsql immutable as $$ begin perform say('version_lt'); return false; end $$;
create function version_eq(version, version) returns boolean language plpgsql immutable as $$ begin perform say('version_eq'); return true; end $$;
create operator <# (leftarg = version, rightarg = version, function = version_lt);
create operator =# (leftarg = version, rightarg = version, function = version_eq, hashes, merges);
create operator <=# (leftarg = version, rightarg = version, function = version_eq);
create operator >=# (leftarg = version, rightarg = version, function = version_eq);
create operator ># (leftarg = version, rightarg = version, function = version_lt);
create operator class version_ops default for type version using btree as
  operator 1 <#, operator 2 <=#, operator 3 =#, operator 4 >=#, operator 5 >#, function 1 version_cmp(version, version);

create table left_side (
  id integer, name text, label varchar(20), p pair, c colour, s small, g grade, n serialno, u uuid, v version, vs version[],
  cs colour[], f float8
);
create table right_side (id integer, name text, c colour, p pair, u uuid, v version, amount numeric, k checked);
insert into left_side values
  (1, 'x', 'y', row(1, 'x'), 'r', 2, row(1), row(2), '00000000-0000-0000-0000-000000000001', row(3), array[row(1)::version],
    '{r,g}', 1.5),
  (2, 'r', 'r', row(2, 'y'), 'g', 3, row(2), row(3), '00000000-0000-0000-0000-000000000002', row(4), array[row(2)::version],
    '{g}', 2.5);
insert into right_side values
  (1, 'x', 'r', row(1, 'x'), '00000000-0000-0000-0000-000000000001', row(3), 5, 7),
  (3, 'r', 'g', row(1, 'x'), '00000000-0000-0000-0000-000000000003', row(3), 6, 8);

-- A whole row that becomes a text without being asked.
create table whole (a integer);
create function whole_text(whole) returns text language plpgsql as $$ begin perform say('whole_text'); return 'w'; end $$;
create cast (whole as text) with function whole_text(whole) as implicit;
insert into whole values (1);
