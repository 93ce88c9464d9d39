import * as fc from "fast-check";

/** The relations that generated statements name; `secrets` is one that the role has no rule for. */
export const ruled = ["orders", "customers"] as const;
export const open = ["products"] as const;

const columns = ["id", "tenant_id", "name"];

/** How deep the rest of a statement may still go. */
type Depth = number;

const pick = (...texts: string[]): fc.Arbitrary<string> => fc.constantFrom(...texts);

function relation(names: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(
      pick(...names),
      pick("", "ONLY ", "/* c */ "),
      pick("", " AS x", " y", " z(a, b, c)"),
      fc.boolean(),
    )
    .map(([name, only, alias, qualified]) => `${only}${qualified ? "public." : ""}${name}${alias}`);
}

function expression(names: readonly string[], depth: Depth): fc.Arbitrary<string> {
  const flat = pick("1", "'a'", "NULL", "TRUE", ...columns.map((column) => `"${column}"`), "count(*)");
  if (depth <= 0) return flat;
  const deeper = expression(names, depth - 1);
  const query = select(names, depth - 1);
  return fc.oneof(
    { weight: 3, arbitrary: flat },
    fc.tuple(deeper, pick("=", "<", "||", "AND", "OR"), deeper).map(([a, op, b]) => `(${a} ${op} ${b})`),
    query.map((text) => `(${text})`),
    query.map((text) => `EXISTS (${text})`),
    fc.tuple(deeper, query).map(([a, text]) => `${a} IN (${text})`),
    query.map((text) => `ARRAY(${text})`),
    fc.tuple(deeper, deeper).map(([a, b]) => `CASE WHEN ${a} THEN ${b} ELSE ${a} END`),
    fc.tuple(deeper, deeper).map(([a, b]) => `coalesce(${a}, ${b})`),
    deeper.map((a) => `lower(${a})`),
    fc.tuple(deeper, query).map(([a, text]) => `sum(1) FILTER (WHERE ${a}) OVER (ORDER BY (${text}))`),
    fc.tuple(deeper, deeper).map(([a, b]) => `ROW(${a}, ${b})`),
    deeper.map((a) => `${a}::text`),
  );
}

function fromItem(names: readonly string[], depth: Depth): fc.Arbitrary<string> {
  if (depth <= 0) return relation(names);
  const item = fromItem(names, depth - 1);
  return fc.oneof(
    { weight: 3, arbitrary: relation(names) },
    fc
      .tuple(item, pick("JOIN", "LEFT JOIN", "FULL JOIN"), item, expression(names, depth - 1))
      .map(([a, join, b, on]) => `(${a} ${join} ${b} ON ${on})`),
    fc
      .tuple(pick("", "LATERAL "), select(names, depth - 1))
      .map(([lateral, text]) => `${lateral}(${text}) s`),
    expression(names, depth - 1).map((a) => `generate_series(1, ${a}) g`),
  );
}

/** A SELECT, with sub-selects wherever the grammar takes an expression. */
export function select(names: readonly string[], depth: Depth): fc.Arbitrary<string> {
  if (depth <= 0) return fromItem(names, 0).map((from) => `SELECT * FROM ${from}`);
  const value = expression(names, depth - 1);
  const clause = (word: string): fc.Arbitrary<string> =>
    fc.option(value, { nil: undefined }).map((text) => (text === undefined ? "" : ` ${word} ${text}`));
  const plain = fc
    .tuple(
      fc.oneof(pick("*", "x.*"), value),
      fc.option(fromItem(names, depth - 1), { nil: undefined }),
      clause("WHERE"),
      clause("GROUP BY"),
      clause("HAVING"),
      clause("ORDER BY"),
      fc.option(select(names, depth - 1), { nil: undefined }),
    )
    .map(([list, from, where, group, having, order, limit]) =>
      [
        `SELECT ${list}`,
        from === undefined ? "" : ` FROM ${from}`,
        where,
        group,
        having,
        order,
        limit === undefined ? "" : ` LIMIT (${limit})`,
      ].join(""),
    );
  const deeper = select(names, depth - 1);
  return fc.oneof(
    { weight: 4, arbitrary: plain },
    fc
      .tuple(deeper, pick("UNION", "INTERSECT", "EXCEPT ALL"), deeper)
      .map(([a, op, b]) => `(${a}) ${op} (${b})`),
    fc
      .tuple(pick("", "RECURSIVE "), pick("orders", "secrets", "c"), deeper, deeper)
      .map(([recursive, name, body, main]) => `WITH ${recursive}${name} AS (${body}) ${main}`),
    fc.array(value, { minLength: 1, maxLength: 2 }).map((values) => `VALUES (${values.join(", ")})`),
    relation(names).map((text) => `TABLE ${/^(?:ONLY )?(?:\/\* c \*\/ )?[a-z.]+/.exec(text)![0]}`),
  );
}

/** A statement that may write, with reads in every place that takes them. */
export function statement(names: readonly string[], depth: Depth): fc.Arbitrary<string> {
  const query = select(names, depth);
  const value = expression(names, depth - 1);
  return fc.oneof(
    { weight: 4, arbitrary: query },
    fc
      .tuple(query, value)
      .map(
        ([source, returning]) => `INSERT INTO orders (id, tenant_id, name) ${source} RETURNING ${returning}`,
      ),
    fc
      .tuple(value, value, fromItem(names, depth - 1))
      .map(([set, where, from]) => `UPDATE orders SET name = ${set} FROM ${from} WHERE ${where}`),
    fc
      .tuple(value, fromItem(names, depth - 1))
      .map(([where, using]) => `DELETE FROM orders USING ${using} WHERE ${where}`),
    query.map((text) => `COPY (${text}) TO STDOUT`),
    query.map((text) => `EXPLAIN ${text}`),
    query.map((text) => `PREPARE p AS ${text}`),
    query.map((text) => `DECLARE c CURSOR FOR ${text}`),
    query.map(
      (text) => `WITH w AS (DELETE FROM orders RETURNING *) ${text.startsWith("WITH") ? "SELECT 1" : text}`,
    ),
  );
}
