import { Client } from "pg";
import { assertPrivateUrl } from "../apply/admin-url.ts";
import { identityNameExpected, isIdentityName } from "../identity/identity-name.ts";
import { parseVerifier } from "../scram/verifier.ts";

/** A user as rolegate.yaml has it. */
type ImportedUser = { readonly verifier: string; readonly validUntil?: string };

export type ImportedUsers = {
  readonly users: Readonly<Record<string, ImportedUser>>;
  /** Roles that cannot log in with a password here, and why. */
  readonly left: readonly { readonly name: string; readonly why: string }[];
};

type RoleRow = {
  readonly name: string;
  readonly verifier: string | null;
  /** ISO 8601, in UTC; null: never. */
  readonly until: string | null;
  readonly never: boolean;
  readonly ended: boolean | null;
};

/**
 * The verifiers that a server keeps of its login roles: people go on with the passwords they have.
 * @param url of a superuser, who alone may read pg_authid
 * @param names these roles alone; undefined: all that can log in
 * @throws Error if the server cannot be asked, or lacks one of the names
 */
export async function verifiersOf(url: string, names: readonly string[] | undefined): Promise<ImportedUsers> {
  assertPrivateUrl(url);
  // Every name in the statement is the server's own, operators included: a schema of somebody's must not see what is
  // compared (CVE-2025-12819).
  const client = new Client({
    connectionString: url,
    application_name: "rolegate password",
    options: "-c search_path=pg_catalog,pg_temp",
  });
  try {
    await client.connect();
    const { rows } = await client.query<RoleRow>(
      `select a.rolname as name, a.rolpassword as verifier,
         to_char(a.rolvaliduntil at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as until,
         a.rolvaliduntil is null or a.rolvaliduntil = 'infinity' as never,
         a.rolvaliduntil <= now() as ended
       from pg_authid a
       where a.rolcanlogin and ($1::text[] is null or a.rolname = any ($1)) order by a.rolname`,
      [names ?? null],
    );
    const missing = names?.find((name) => !rows.some((row) => row.name === name));
    if (missing !== undefined) throw new Error(`--user: ${missing} is no role of the server that can log in`);
    return sorted(rows);
  } finally {
    await client.end();
  }
}

function sorted(rows: readonly RoleRow[]): ImportedUsers {
  const users: Record<string, ImportedUser> = Object.create(null);
  const left: { name: string; why: string }[] = [];
  for (const { name, verifier, until, never, ended } of rows) {
    const why = ended === true ? "its password has ended" : unfit(name, verifier);
    if (why === undefined) users[name] = { verifier: verifier!, ...(!never && { validUntil: until! }) };
    else left.push({ name, why });
  }
  return { users, left };
}

function unfit(name: string, verifier: string | null): string | undefined {
  if (verifier === null) return "it has no password";
  if (verifier.startsWith("md5"))
    return "its password is an MD5 hash: set it anew with password_encryption = scram-sha-256";
  if (parseVerifier(verifier) === undefined) return "its verifier is of another form";
  return isIdentityName(name) ? undefined : `expected ${identityNameExpected}`;
}
