import type { AccessEntry } from "../access/access-entry.ts";
import type { AccessConnection } from "../access/condition.ts";
import { explainCondition, type ConditionPart } from "../access/explain-condition.ts";
import type { Config, DatabaseConfig } from "../config/config.ts";
import { RolegateError } from "../errors.ts";
import type { Identity, Subject } from "../identity/identity.ts";
import { bindGrants, compileRole } from "../policy/grants.ts";
import type { Parser } from "../sql/parser.ts";

export type ReportedEntry = {
  readonly role: string;
  /** `rolegate.yaml:12`. */
  readonly place: string;
  readonly fits: boolean;
  /** Where it fits, the role is not theirs: it may be asked for, or taken in an emergency. */
  readonly onRequest: "approval" | "break-glass" | undefined;
  /** The condition, and what its parts come to. */
  readonly condition: string;
  readonly because: ConditionPart;
  /** It fits, and yet the role is refused: its rules need an attribute that the identity lacks. */
  readonly refused: string | undefined;
};

export type ReportedDatabase = {
  readonly database: string;
  /** The role of a client that names none; undefined: the login is refused. */
  readonly role: string | undefined;
  /** All roles that may be taken, that one included. */
  readonly roles: readonly string[];
  readonly entries: readonly ReportedEntry[];
};

export type AccessReport = {
  readonly time: string;
  readonly connection: Omit<AccessConnection, "database">;
  readonly identities: readonly {
    readonly identity: Subject & { readonly mfa: boolean; readonly signedIn: string };
    readonly databases: readonly ReportedDatabase[];
  }[];
};

type Premises = {
  readonly config: Config;
  /** Reads the roles' rules. */
  readonly parser: Parser;
  readonly databases: readonly string[];
  readonly connection: AccessReport["connection"];
  /** Milliseconds since the epoch. */
  readonly now: number;
};

/** Which roles identities could take, entry by entry as a login would ask. */
export function accessReport(identities: readonly Identity[], premises: Premises): AccessReport {
  const { databases, connection, now } = premises;
  return {
    time: new Date(now).toISOString(),
    connection,
    identities: identities.map((identity) => ({
      identity: {
        name: identity.name,
        method: identity.method,
        attributes: identity.attributes,
        mfa: identity.mfa,
        signedIn: new Date(identity.signedInAt).toISOString(),
      },
      databases: databases.map((database) => inDatabase(identity, database, premises)),
    })),
  };
}

function inDatabase(identity: Identity, database: string, premises: Premises): ReportedDatabase {
  const { config, connection, now } = premises;
  const entries = config.access
    .filter((entry) => entry.database === database)
    .map((entry): ReportedEntry => {
      const question = { identity, connection: { ...connection, database }, now };
      const { text } = entry.condition;
      // What the login goes by.
      const { kind } = entry.condition.evaluate(identity, question.connection, now);
      return {
        role: entry.role,
        place: `${entry.file}:${entry.line}`,
        fits: kind === "fits",
        onRequest: entry.onRequest?.kind,
        condition: text,
        because: explainCondition(text, config.identities.attributes, question),
        refused: kind === "fits" ? refusalOf(entry, identity, premises) : undefined,
      };
    });
  const fitting = entries.filter(({ fits, onRequest }) => fits && onRequest === undefined);
  const [first] = fitting;
  return {
    database,
    role: first?.refused === undefined ? first?.role : undefined,
    roles: [...new Set(fitting.filter(({ refused }) => refused === undefined).map(({ role }) => role))],
    entries,
  };
}

function refusalOf(
  { role, database }: AccessEntry,
  identity: Identity,
  { config, parser }: Premises,
): string | undefined {
  const { roles }: DatabaseConfig = config.databases.get(database)!;
  const compiled = compileRole(roles.get(role)!, parser);
  if (compiled.kind === "refused") throw new Error(`role ${role}: its rules cannot be read`);
  try {
    bindGrants(compiled.role, identity);
    return undefined;
  } catch (error) {
    if (error instanceof RolegateError) return error.problem.message;
    throw error;
  }
}
