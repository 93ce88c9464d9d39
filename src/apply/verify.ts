import type { AdminQuery } from "./admin-query.ts";
import { privilegeKey, type Privilege } from "./privilege.ts";

/** How the server is asked whether a role has a privilege from wherever, PUBLIC included. */
const questions = {
  DATABASE: "has_database_privilege($1, $2, $3)",
  SCHEMA: "has_schema_privilege($1, $2, $3)",
  TABLE: "has_table_privilege($1, $2, $3)",
  SEQUENCE: "has_sequence_privilege($1, $2, $3)",
  ROUTINE: "has_function_privilege($1, $2, $3)",
} as const satisfies Readonly<Record<Privilege["object"], string>>;

/**
 * What is not as it was meant after all statements ran. A grant or a revoke that the administrator has no right to is
 * only a warning of the server's, and nobody but the grantor revokes what another role has granted.
 */
export async function verifyPrivileges(
  query: AdminQuery,
  role: string,
  current: readonly Privilege[],
  wanted: readonly Privilege[],
): Promise<string[]> {
  const has = new Set(current.map(privilegeKey));
  const wants = new Set(wanted.map(privilegeKey));
  const problems = current
    .filter((privilege) => !wants.has(privilegeKey(privilege)))
    .map((privilege) => `role ${role} still has ${describe(privilege)}: only who granted it can revoke it`);
  for (const privilege of wanted) {
    if (has.has(privilegeKey(privilege)) || (await hasAnyway(query, role, privilege))) continue;
    problems.push(`role ${role} lacks ${describe(privilege)}: only the owner can grant it`);
  }
  return problems;
}

async function hasAnyway(query: AdminQuery, role: string, privilege: Privilege): Promise<boolean> {
  const { object, name, column } = privilege;
  const values = [
    role,
    object === "DATABASE" || object === "SCHEMA" ? unquoted(name) : name,
    privilege.privilege,
  ];
  const [answer] =
    column === undefined
      ? await query<{ has: boolean }>(`select ${questions[object]} as has`, values)
      : await query<{ has: boolean }>("select has_column_privilege($1, $2, $4, $3) as has", [
          ...values,
          column,
        ]);
  return answer?.has === true;
}

/** These two the server takes as bare names, not as SQL. */
function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}

function describe({ object, name, column, privilege }: Privilege): string {
  return `${privilege}${column === undefined ? "" : ` (${column})`} on ${object} ${name}`;
}
