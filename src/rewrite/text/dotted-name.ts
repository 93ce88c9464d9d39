import type { Node } from "@pgsql/types";
import { unsupported } from "../judgement.ts";

/** The strings of a dotted name in a tree. */
export function nameParts(nodes: readonly Node[] | undefined): string[] {
  return (nodes ?? []).map((part) =>
    "String" in part ? (part.String.sval ?? "") : unsupported("this form of a name"),
  );
}

/** The last string of a dotted name: the column of `t.a`, the function of `s.f`; undefined for a star and for no name. */
export function lastName(nodes: readonly Node[] | undefined): string | undefined {
  const last = nodes?.at(-1);
  return last !== undefined && "String" in last ? last.String.sval : undefined;
}

/** The same as a list of one or none. */
export function lastOf(names: unknown): readonly string[] {
  const name = lastName(names as Node[] | undefined);
  return name === undefined ? [] : [name];
}

/** The names that stand behind a value: `f` and `g` of `(a).f[1].g`. */
export function namesBehind({ indirection }: { readonly indirection?: unknown }): readonly string[] {
  return ((indirection as Node[] | undefined) ?? []).flatMap((part) => lastOf([part]));
}
