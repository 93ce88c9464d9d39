import { chooseRole, rolesFor } from "../access/choose-role.ts";
import type { AccessConnection } from "../access/condition.ts";
import type { Config } from "../config/config.ts";
import { RolegateError, sqlstate, type Problem } from "../errors.ts";
import type { Identity } from "../identity/identity.ts";
import { createLogger } from "../log.ts";
import { createMetrics } from "../metrics.ts";
import type { BoundExpression, Grants, TableGrant } from "../policy/grants.ts";
import { Database } from "../session/database.ts";
import { openRole } from "../session/open-role.ts";
import { splitStatements } from "../session/split-statements.ts";
import { SlowJudge } from "../session/slow-judge.ts";
import { loadParser, workerLimits } from "../sql/parser.ts";
import { judge, type JudgeContext } from "../rewrite/judge.ts";
import type { JudgedStatement, Verdict } from "../rewrite/verdict.ts";

/** A rule that shaped a statement. */
export type FiredRule = {
  /** `roles/analyst.yaml:7` and `customers.select.rows`. */
  readonly place: string;
  readonly key: string;
  /** As the role file has it. */
  readonly text: string;
};

export type ExplainedStatement = {
  readonly sql: string;
  readonly verdict: "run" | "refuse";
  readonly kind: string;
  readonly relations: readonly string[];
  readonly rules: readonly FiredRule[];
  /** What the database gets, where it differs. */
  readonly sent: string | undefined;
  /** What else there is to say of it, each a sentence. */
  readonly notes: readonly string[];
};

export type Refusal = { readonly sqlstate: string } & Omit<Problem, "code">;

export type Explanation = {
  readonly identity: Pick<Identity, "name" | "method" | "attributes">;
  readonly connection: AccessConnection;
  /** The roles that the identity may take here, and the entry of `access` that gave the one in force. */
  readonly roles: readonly string[];
  /** Entries of `access` that could not be evaluated, which count as not fitting. */
  readonly failures: readonly string[];
  readonly role: string | undefined;
  readonly access: string | undefined;
  readonly searchPath: readonly string[];
  readonly verdict: "run" | "refuse";
  /** Why not: the login, or the statement. */
  readonly refusal: Refusal | undefined;
  readonly statements: readonly ExplainedStatement[];
};

/**
 * Does what a login and a statement would, up to the point where the statement would be sent.
 * @param user the startup packet's: the identity's name, or a role
 * @throws RolegateError upstream_unavailable; Error for a role file that the server's grammar does not accept
 */
export async function explain(
  sql: string,
  user: string,
  identity: Identity,
  connection: AccessConnection,
  config: Config,
): Promise<Explanation> {
  const now = Date.now();
  const { roles, failures } = rolesFor(identity, connection, now, config.access);
  const { name, method, attributes } = identity;
  const known = {
    identity: { name, method, attributes },
    connection,
    roles,
    failures: failures.map(({ entry, reason }) => `${entry.file}:${entry.line}: ${reason}`),
  };
  const refused = (problem: Problem): Explanation => ({
    ...known,
    role: undefined,
    access: undefined,
    searchPath: [],
    verdict: "refuse",
    refusal: refusalOf(problem),
    statements: [],
  });
  const chosen = chooseRole(user, identity, roles);
  if (chosen.kind === "refused") return refused(chosen.problem);
  const { role } = chosen;
  const entry = config.access.find(
    (one) =>
      one.role === role &&
      one.database === connection.database &&
      one.condition.evaluate(identity, connection, now).kind === "fits",
  );
  const database = config.databases.get(connection.database)!;
  const file = database.roles.get(role);
  const metrics = createMetrics();
  const opened = await Database.open(
    // The catalog is read with the login of the first role.
    { ...database, roles: new Map(file === undefined ? [] : [[role, file]]) },
    createLogger("silent"),
    metrics,
    new SlowJudge({ failed: () => {} }),
  );
  try {
    const settings = new Map<string, string>([["default_transaction_read_only", "on"]]);
    const request = {
      database: opened,
      identity,
      role,
      settings,
      applicationName: connection.applicationName,
    };
    const session = await openRole({ ...request, deadline: config.limits.upstreamTimeout }, metrics);
    session.connection.close();
    const { grants, searchPath, connection: upstream } = session;
    const scope = opened.scope({ grants, searchPath, roles: new Set(roles), settings: upstream.settings });
    // Nobody else waits here, so long texts need no thread of their own.
    const context = { ...scope.context, parser: await loadParser(opened.major, workerLimits) };
    const verdict = judge(sql, context);
    return {
      ...known,
      role,
      access: entry && `${entry.file}:${entry.line}`,
      searchPath: session.searchPath,
      verdict: verdict.kind,
      refusal: verdict.kind === "refuse" ? refusalOf(verdict.problem) : undefined,
      statements: statementsOf(sql, verdict, context),
    };
  } catch (error) {
    // Such as an attribute that the role's rules need and the identity lacks: the login ends there.
    if (!(error instanceof RolegateError) || error.problem.code === "upstream_unavailable") throw error;
    return { ...refused(error.problem), role, access: entry && `${entry.file}:${entry.line}` };
  } finally {
    await opened.close();
  }
}

function refusalOf({ code: _code, ...told }: Problem): Refusal {
  return { sqlstate: sqlstate({ code: _code, ...told }), ...told };
}

/** A text runs or is refused as a whole; which of its statements it is that may not run is found one by one. */
function statementsOf(sql: string, verdict: Verdict, context: JudgeContext): readonly ExplainedStatement[] {
  const { parser, grants } = context;
  const parsed = parser.parse(sql);
  const count = parsed.kind === "parsed" ? parsed.statements.length : 0;
  const own = splitStatements(sql, count);
  if (verdict.kind === "run") {
    const sent = splitStatements(verdict.text, count);
    return verdict.statements.map((statement, index) =>
      explained(statement, own[index] ?? "", sent[index] ?? "", grants),
    );
  }
  if (count < 2)
    return [
      {
        sql,
        verdict: "refuse",
        kind: verdict.statementKind,
        relations: verdict.relations,
        rules: [],
        sent: undefined,
        notes: [],
      },
    ];
  return own.flatMap((text) => statementsOf(text, judge(text, context), context));
}

function explained(
  statement: JudgedStatement,
  own: string,
  sent: string,
  grants: Grants,
): ExplainedStatement {
  const texts = ruleTexts(grants);
  return {
    sql: own,
    verdict: "run",
    kind: statement.statementKind,
    relations: statement.relations,
    rules: statement.rules.map((rule) => {
      const space = rule.indexOf(" ");
      return { place: rule.slice(0, space), key: rule.slice(space + 1), text: texts.get(rule) ?? "" };
    }),
    sent: sent === own ? undefined : sent,
    notes: notesOn(statement),
  };
}

function notesOn({ discardRows, hides, effect }: JudgedStatement): string[] {
  return [
    ...(effect.kind === "set-role" ? ["The session moves to the role, with its rules and login."] : []),
    ...(discardRows ? ["The rows of RETURNING are for the check alone; the client gets none."] : []),
    ...(hides ? ["Of the database's errors the client gets what quotes no hidden row or column."] : []),
  ];
}

/** What each rule says, by its place and key. */
function ruleTexts({ tables, schemas }: Grants): ReadonlyMap<string, string> {
  return new Map(
    [...tables.values(), ...schemas.values()].flatMap((grant) => [
      [grant.rule, summary(grant)] as const,
      ...expressionsOf(grant).map(({ rule, sql }) => [rule, sql] as const),
    ]),
  );
}

function expressionsOf({ select, insert, update, delete: remove }: TableGrant): readonly BoundExpression[] {
  const rules = [select?.rows, insert?.check, update?.rows, update?.check, remove?.rows];
  return [...(select?.mask.values() ?? []), ...rules].filter((rule) => rule !== undefined);
}

/** `select: id, name; insert: all`. */
function summary({ select, insert, update, delete: remove }: TableGrant): string {
  const parts = Object.entries({ select, insert, update }).flatMap(([use, rule]) =>
    rule === undefined ? [] : [`${use}: ${rule.columns === "all" ? "all" : [...rule.columns].join(", ")}`],
  );
  return [...parts, ...(remove === undefined ? [] : ["delete"])].join("; ");
}
