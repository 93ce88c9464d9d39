import type { Node } from "@pgsql/types";
import type { Opened } from "../../sql/walk.ts";
import type { Arising } from "./value-origins.ts";
import { lastName } from "../text/dotted-name.ts";

/** The names that the grammar and pg_type give types, where format_type says another. */
const formatted: Readonly<Record<string, string>> = {
  bool: "boolean",
  bpchar: "bpchar",
  float4: "real",
  float8: "double precision",
  int2: "smallint",
  int4: "integer",
  int8: "bigint",
  time: "time without time zone",
  timestamp: "timestamp without time zone",
  timestamptz: "timestamp with time zone",
  timetz: "time with time zone",
  varbit: "bit varying",
  varchar: "character varying",
};

/** A built-in type as `Column.type` says it. */
export function formatType(name: string): string {
  return formatted[name] ?? name;
}

/** Could a value be of a built-in type? A literal without a type of its own takes the one that is asked of it. */
export function mayBe({ kind, fields }: Opened, type: string, arising: Arising): boolean {
  switch (kind) {
    case "A_Const": {
      if ("ival" in fields) return ["integer", "bigint", "numeric"].includes(type);
      if ("fval" in fields) return ["bigint", "numeric"].includes(type);
      if ("boolval" in fields) return type === "boolean";
      return "bsval" in fields && type === "bit";
    }
    case "ParamRef":
      return false;
    case "BoolExpr":
    case "NullTest":
    case "BooleanTest":
      return type === "boolean";
    case "TypeCast":
      return castTo(fields) === type;
    case "ColumnRef": {
      const name = lastName(fields["fields"] as Node[]);
      return (name === undefined ? undefined : arising.columns(name))?.has(type) ?? true;
    }
    default:
      return true;
  }
}

function castTo(fields: Opened["fields"]): string {
  const { names, arrayBounds } = (fields as { typeName: { names: Node[]; arrayBounds?: unknown } }).typeName;
  return formatType(lastName(names) ?? "") + (arrayBounds === undefined ? "" : "[]");
}
