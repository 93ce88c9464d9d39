import type { CastFacts, OperatorFacts, TypeFacts } from "./catalog.ts";
import type { CastRow, OperatorRow, TypeRow } from "./made-queries.ts";

/** What somebody made that can run a function of somebody's without a call: types, casts, operators. */
export type MadeObjects = {
  readonly types: ReadonlyMap<string, readonly TypeFacts[]>;
  readonly typesByText: ReadonlyMap<string, TypeFacts>;
  readonly typesByArray: ReadonlyMap<string, readonly TypeFacts[]>;
  readonly casts: readonly CastFacts[];
  readonly operators: ReadonlyMap<string, readonly OperatorFacts[]>;
};

export function readMadeObjects(
  typeRows: readonly TypeRow[],
  castRows: readonly CastRow[],
  operatorRows: readonly OperatorRow[],
): MadeObjects {
  const casts = castRows.map(castOf);
  const implicit = Map.groupBy(
    casts.filter(({ context, target }) => context === "i" && target.made),
    ({ source }) => source.type,
  );
  const rows = new Map(typeRows.map((row) => [row[2], row]));
  const parts = (type: string) => rows.get(type)?.[8] ?? [];
  const becomes = (type: string) => (implicit.get(type) ?? []).map(({ target }) => target.type);
  const types = typeRows.map((row): TypeFacts => {
    const [schema, name, text, oid, array, kind] = row;
    const made = closure(text, parts);
    const of = (what: 9 | 10) => [...made].flatMap((type) => rows.get(type)?.[what] ?? []).map(nameOf);
    return {
      schema,
      name,
      text,
      arrayName: row[11] ?? undefined,
      kind,
      oids: [oid, array].filter((each) => each !== 0),
      holds: closure(text, (type) => [...parts(type), ...becomes(type)]),
      makes: of(9),
      compares: of(10),
    };
  });
  const fromBuiltin = new Set(
    casts.filter(({ context, source }) => context === "i" && !source.made).map(({ target }) => target.type),
  );
  // A value of a built-in type becomes a domain over it without being asked, and so do literals; literals also
  // take a type that its category prefers (func_select_candidate, parse_func.c).
  const common = (type: string): boolean => {
    const row = rows.get(type);
    if (row === undefined || row[6] === 1 || row[7] > 0 || fromBuiltin.has(type)) return true;
    return row[5] === "d" && parts(type).every(common);
  };
  return {
    types: Map.groupBy(types, ({ name }) => name),
    typesByText: new Map(types.map((type) => [type.text, type])),
    typesByArray: Map.groupBy(
      types.filter(({ arrayName }) => arrayName !== undefined),
      ({ arrayName }) => arrayName!,
    ),
    casts,
    operators: Map.groupBy(
      operatorRows.map((row) => operatorOf(row, rows, common)),
      ({ name }) => name,
    ),
  };
}

function closure(start: string, next: (type: string) => readonly string[]): ReadonlySet<string> {
  const seen = new Set([start]);
  // A set gives what is added to it while it is walked through.
  for (const type of seen) for (const other of next(type)) seen.add(other);
  return seen;
}

function nameOf([schema, name]: readonly [string, string]): { schema: string; name: string } {
  return { schema, name };
}

function castOf(row: CastRow): CastFacts {
  const [source, target, sourceOid, sourceMade, targetMade, context, schema, name, ofExtension] = row;
  return {
    source: { type: source, made: sourceMade, oid: sourceOid },
    target: { type: target, made: targetMade },
    context,
    function: schema === null || name === null ? undefined : { schema, name },
    ofExtension,
  };
}

/** The token for a row of no type of its own: it becomes any composite type. */
export const anonymousRow = "record";

function operatorOf(
  [schema, name, extension, functionSchema, functionName, left, right, ownOfName]: OperatorRow,
  rows: ReadonlyMap<string, TypeRow>,
  common: (type: string) => boolean,
): OperatorFacts {
  const sides = [left, right].filter((side) => side !== null);
  const made = sides.filter(([type, isMade]) => isMade && !common(type));
  const builtin = sides.filter((side) => !made.includes(side));
  // Literals without a type are given the type of the other side if the server has such an operator, and they choose
  // no type of somebody's where one of the server's fits too (documentation, 10.2).
  const taken = ownOfName && builtin.every(([, , ownOfTwo]) => ownOfTwo);
  const beside = sides.some(([type, isMade]) => !isMade || rows.get(type)?.[7] === 2);
  return {
    schema,
    name,
    extension: extension ?? undefined,
    function: { schema: functionSchema, name: functionName },
    common: made.length === 0 || !taken,
    besideBuiltin: beside,
    takes: sides.filter(([, isMade]) => isMade).map(([type]) => type),
    operands: made.flatMap(([type]) => [type, ...(rows.get(type)?.[5] === "c" ? [anonymousRow] : [])]),
  };
}
