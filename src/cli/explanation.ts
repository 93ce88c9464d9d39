import { chooseRole, rolesFor } from "../access/choose-role.ts";
import type { AccessConnection } from "../access/condition.ts";
import type { Config } from "../config/config.ts";
import { RolegateError, sqlstate, type Problem } from "../errors.ts";
import type { Identity, Subject } from "../identity/identity.ts";
import { createLogger } from "../log.ts";
import { createMetrics } from "../metrics.ts";
import { Database } from "../session/database.ts";
import { openRole } from "../session/login/open-role.ts";
import { firedRules, type FiredRule } from "./rule-texts.ts";
import { splitStatements } from "../session/split-statements.ts";
import { SlowJudge } from "../session/slow-judge.ts";
import { loadParser, workerLimits } from "../sql/parser.ts";
import { judge, type JudgeContext } from "../rewrite/judge.ts";
import type { JudgedStatement, Verdict } from "../rewrite/verdict.ts";

export type ExplainedStatement = {
  readonly sql: string;
  /** Behind one that is refused nothing is judged. */
  readonly verdict: "run" | "refuse" | "unjudged";
  readonly kind: string;
  readonly relations: readonly string[];
  readonly rules: readonly FiredRule[];
  /** What the database gets, where it differs. */
  readonly sent: string | undefined;
  /** What else there is to say of it, each a sentence. */
  readonly notes: readonly string[];
};

type Refusal = { readonly sqlstate: string } & Omit<Problem, "code">;

export type Explanation = {
  readonly identity: Subject;
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
      one.onRequest === undefined &&
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

/** Longer texts are not taken apart to find the statement that is refused. */
const mostParts = 200;

/**
 * A text runs or is refused as a whole. The statement that is refused is the last one of the shortest beginning that is:
 * what stands before it may have made what it needs.
 */
function statementsOf(sql: string, verdict: Verdict, context: JudgeContext): readonly ExplainedStatement[] {
  const parsed = context.parser.parse(sql);
  const count = parsed.kind === "parsed" ? parsed.statements.length : 0;
  const own = splitStatements(sql, count);
  if (verdict.kind === "run") return running(verdict, own, context);
  if (count < 2 || count > mostParts) return [notRunning("refuse", sql, verdict)];
  let before: readonly ExplainedStatement[] = [];
  for (const [index, text] of own.entries()) {
    const judged = judge(own.slice(0, index + 1).join(";\n"), context);
    if (judged.kind === "run") before = running(judged, own, context);
    else
      return [
        ...before,
        notRunning("refuse", text, judged),
        ...own.slice(index + 1).map((rest) => notRunning("unjudged", rest)),
      ];
  }
  return before;
}

function running(
  { text, statements }: Extract<Verdict, { kind: "run" }>,
  own: readonly string[],
  { grants }: JudgeContext,
): readonly ExplainedStatement[] {
  const sent = splitStatements(text, statements.length);
  return statements.map((statement, index) => ({
    sql: own[index] ?? "",
    verdict: "run",
    kind: statement.statementKind,
    relations: statement.relations,
    rules: firedRules(statement.rules, grants),
    sent: sent[index] === own[index] ? undefined : sent[index],
    notes: notesOn(statement),
  }));
}

function notRunning(
  verdict: "refuse" | "unjudged",
  sql: string,
  known?: Extract<Verdict, { kind: "refuse" }>,
): ExplainedStatement {
  const { statementKind: kind = "", relations = [] } = known ?? {};
  return { sql, verdict, kind, relations, rules: [], sent: undefined, notes: [] };
}

function notesOn({ discardRows, hides, effect }: JudgedStatement): string[] {
  return [
    ...(effect.kind === "set-role" ? ["The session moves to the role, with its rules and login."] : []),
    ...(discardRows ? ["The rows of RETURNING are for the check alone; the client gets none."] : []),
    ...(hides ? ["Of the database's errors the client gets what quotes no hidden row or column."] : []),
  ];
}
