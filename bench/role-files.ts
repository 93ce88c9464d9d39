import { databaseName, roles } from "./database.ts";

const tables: Readonly<Record<string, string>> = {
  [roles.all]: "pgbench_accounts: { select: all }",
  // All of pgbench's rows, at scale 1.
  [roles.rows]: "pgbench_accounts: { select: { rows: bid = identity.branch } }",
};

/** The role file of one of the bench's roles: everything allowed, or a row rule on the one table. */
export function roleFile(role: string): string {
  return `role: ${role}
database: ${databaseName}
tables:
  ${tables[role]}
  pgbench_branches: { select: all }
`;
}
