import { walk } from "../sql/walk.ts";

/** Operators whose errors, where they have any, are fixed words: a division by zero, a value out of range. */
const plainOperators: ReadonlySet<string> = new Set(
  "= <> != < <= > >= + - * / % || -> ->> @> <@ && ~~ !~~ ~~* !~~* ~ ~* !~ !~*".split(" "),
);

/** The same of functions: none was seen repeating an argument in an error on 15 or 18, whatever it was given. */
const plainFunctions: ReadonlySet<string> = new Set(
  (
    "abs age array_length array_position array_to_string ascii btrim cardinality ceil ceiling char_length " +
    "character_length coalesce concat concat_ws date_bin floor greatest hashtext initcap isfinite least left lower " +
    "lpad ltrim md5 mod now num_nonnulls num_nulls octet_length overlay position quote_literal regexp_count " +
    "regexp_like regexp_match regexp_replace regexp_substr repeat replace reverse right round rpad rtrim sha224 " +
    "sha256 sha384 sha512 sign split_part starts_with strpos substr substring translate trunc upper"
  ).split(" "),
);

/** A cast to one of these writes a value out and reads nothing. */
const textTypes: ReadonlySet<string> = new Set(["text", "varchar", "bpchar", "name"]);

const plainNodes: ReadonlySet<string> = new Set([
  "A_ArrayExpr",
  "A_Const",
  "A_Expr",
  "BoolExpr",
  "BooleanTest",
  "CaseExpr",
  "CaseWhen",
  "CoalesceExpr",
  "CollateClause",
  "ColumnRef",
  "FuncCall",
  "Integer",
  "List",
  "MinMaxExpr",
  "NullTest",
  "SQLValueFunction",
  "String",
  "TypeCast",
  "TypeName",
]);

type Fields = {
  readonly kind?: string;
  readonly name?: readonly unknown[];
  readonly funcname?: readonly unknown[];
  readonly arg?: object;
  readonly typeName?: { readonly names?: readonly unknown[] };
};

/**
 * May an error of this expression quote a value of the row? A mask `ssn::int` shows the very value that it hides as soon
 * as one row's cannot be cast: `invalid input syntax for type integer: "…"`. Anything that is not known is taken to quote.
 * @param value a rule's expression, as the grammar reads it.
 */
export function mayQuote(value: unknown): boolean {
  let quotes = false;
  walk(value, (kind, fields) => {
    quotes ||= !plainNodes.has(kind) || quotesItself(kind, fields);
    // A column's or a type's own parts run nothing.
    return !quotes && kind !== "ColumnRef" && kind !== "TypeName";
  });
  return quotes;
}

function quotesItself(kind: string, { kind: form, name, funcname, arg, typeName }: Fields): boolean {
  switch (kind) {
    case "A_Expr":
      return form === "AEXPR_SIMILAR" || !isPlainOperator(name ?? [], form ?? "");
    case "FuncCall": {
      const parts = namesOf(funcname ?? []);
      return parts.length > 1
        ? parts[0] !== "pg_catalog" || !plainFunctions.has(parts[1]!)
        : !plainFunctions.has(parts[0] ?? "");
    }
    case "TypeCast":
      // A constant's cast is the same for every row: it quotes the rule's own text.
      return !isConstant(arg) && !textTypes.has(namesOf(typeName?.names ?? []).at(-1) ?? "");
  }
  return false;
}

function isPlainOperator(name: readonly unknown[], form: string): boolean {
  const parts = namesOf(name);
  return form.includes("BETWEEN") || (parts.length === 1 && plainOperators.has(parts[0]!));
}

/** A literal, or an attribute of the identity, which becomes one. */
function isConstant(node: object | undefined): boolean {
  if (node === undefined) return false;
  if ("A_Const" in node) return true;
  const { fields } = ("ColumnRef" in node ? node.ColumnRef : {}) as { fields?: readonly unknown[] };
  const parts = namesOf(fields ?? []);
  return parts.length > 1 && parts[0] === "identity";
}

function namesOf(nodes: readonly unknown[]): string[] {
  return nodes.map((node) => (node as { String?: { sval?: string } }).String?.sval ?? "");
}
