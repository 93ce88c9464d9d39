import { quoteIdentifier } from "../sql/names.ts";

/** One thing that a database role may do: a privilege on an object, or on one column of it. */
export type Privilege = {
  readonly object: "DATABASE" | "SCHEMA" | "TABLE" | "SEQUENCE" | "ROUTINE";
  /** As SQL, qualified and quoted; of a routine with the types of its arguments. */
  readonly name: string;
  readonly column: string | undefined;
  /** `SELECT`, `USAGE`, … as GRANT spells it. */
  readonly privilege: string;
  /** May be granted on; never wanted. */
  readonly grantable: boolean;
};

/** Equal for equal privileges. */
export function privilegeKey({ object, name, column, privilege, grantable }: Privilege): string {
  return JSON.stringify([object, name, column ?? null, privilege, grantable]);
}

/**
 * The statements that lead from `current` to `wanted` for one role: what is too much is revoked first, because to
 * revoke a privilege on a table takes the same one on its columns away.
 */
export function privilegeStatements(
  role: string,
  current: readonly Privilege[],
  wanted: readonly Privilege[],
): string[] {
  const has = new Set(current.map(privilegeKey));
  const wants = new Set(wanted.map(privilegeKey));
  const surplus = current.filter((privilege) => !wants.has(privilegeKey(privilege)));
  const revokedTables = new Set(
    surplus
      .filter(({ column }) => column === undefined)
      .map(({ object, name, privilege }) => `${object} ${name} ${privilege}`),
  );
  const missing = wanted.filter(
    (privilege) =>
      !has.has(privilegeKey(privilege)) ||
      revokedTables.has(`${privilege.object} ${privilege.name} ${privilege.privilege}`),
  );
  const name = quoteIdentifier(role);
  return [
    ...byObject(surplus, (list, on) => `REVOKE ${list} ON ${on} FROM ${name}`),
    ...byObject(missing, (list, on) => `GRANT ${list} ON ${on} TO ${name}`),
  ];
}

/** One statement for each object: `SELECT (id, name), DELETE` on it. */
function byObject(
  privileges: readonly Privilege[],
  statement: (list: string, on: string) => string,
): string[] {
  const objects = Map.groupBy(privileges, ({ object, name }) => `${object} ${name}`);
  return [...objects].map(([on, own]) => {
    const kinds = Map.groupBy(own, ({ privilege, column }) =>
      JSON.stringify([privilege, column === undefined]),
    );
    const list = [...kinds.values()].map((same) => {
      const columns = same.flatMap(({ column }) => (column === undefined ? [] : [quoteIdentifier(column)]));
      return same[0]!.privilege + (columns.length === 0 ? "" : ` (${columns.join(", ")})`);
    });
    return statement(list.join(", "), on);
  });
}
