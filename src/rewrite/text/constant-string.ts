import type { Node } from "@pgsql/types";
import { lastName } from "./dotted-name.ts";

/** The value of a string that stands in the text by itself. */
export function constantString(node: Node | undefined): string | undefined {
  if (node === undefined || !("A_Const" in node)) return undefined;
  const { sval } = node.A_Const as { sval?: { sval?: string } };
  return sval === undefined ? undefined : (sval.sval ?? "");
}

/** The same, with casts around it to one of these types: `'name'::regclass`. */
export function castString(node: Node | undefined, types: ReadonlySet<string>): string | undefined {
  if (node === undefined || !("TypeCast" in node)) return constantString(node);
  const { arg, typeName } = node.TypeCast;
  const type = lastName(typeName?.names) ?? "";
  return types.has(type) && typeName?.arrayBounds === undefined ? castString(arg, types) : undefined;
}
