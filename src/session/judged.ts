import { serialiseStatement } from "../audit/recorder.ts";
import { RolegateError, sqlstate, type Problem } from "../errors.ts";
import type { JudgeContext } from "../rewrite/judgement.ts";
import type { JudgedStatement, Verdict } from "../rewrite/verdict.ts";
import { errorResponse } from "../wire/error-fields.ts";
import { query } from "../wire/frontend-rewrite.ts";
import { decodeBytes } from "../wire/text.ts";
import { refusedSql } from "./refused.ts";
import { splitStatements } from "./split-statements.ts";

/** Turns a text into a verdict; rewrite/judge.ts, or a stand-in. */
export type Judge = (text: string, context: JudgeContext) => Verdict;

/** One statement that may run, with what each run of it needs. */
export type Runnable = {
  readonly judged: Judged;
  /** Undefined: an empty text, or one that is refused. */
  readonly statement: JudgedStatement | undefined;
  /** Its part of the record. */
  readonly fragment: string;
  /** It changes nothing that the session has to follow: no effect, no COPY FROM. */
  readonly plain: boolean;
};

/** A text's verdict and everything that is made of it once, so that a known text costs a look-up. */
export type Judged = {
  /** The client's text in byte form (wire/text.ts). */
  readonly source: string;
  readonly context: JudgeContext;
  readonly verdict: Verdict;
  /** The statements of a text that runs; empty for an empty text and for one that is refused. */
  readonly runs: readonly Runnable[];
  /** What a Parse of the text prepares: its only statement. */
  readonly first: Runnable;
  /** True if all statements are plain. */
  readonly plain: boolean;
  /** What goes upstream in place of the client's Query, and of the SQL in its Parse; undefined: the client's own. */
  readonly query: Buffer | undefined;
  readonly sql: string | undefined;
  /** The ErrorResponse of a refusal. */
  readonly refusal: Buffer | undefined;
  /** A name did not resolve: worth another try against a fresh catalog. */
  readonly unresolved: boolean;
  /** About how much memory it holds, in bytes. */
  readonly size: number;
};

/** Judges a text in byte form. Never throws: what goes wrong is a refusal. `failed` hears of faults of our own. */
export function judgeText(
  source: string,
  context: JudgeContext,
  judge: Judge,
  failed: (error: unknown) => void,
): Judged {
  const text = decodeBytes(source);
  if (text === undefined)
    return refused(source, context, {
      code: "encoding_invalid",
      message: "the statement is not valid UTF-8",
    });
  let verdict: Verdict;
  try {
    verdict = judge(text, context);
    if (verdict.kind === "run") return runs(source, text, context, verdict);
  } catch (error) {
    if (error instanceof RolegateError) return refused(source, context, error.problem);
    failed(error);
    return refused(source, context, { code: "internal", message: "the statement could not be judged" });
  }
  return refusal(source, text, context, verdict);
}

/** A refusal for a reason that no verdict gives. `statement`: what is known of it, for the record. */
export function refused(
  source: string,
  context: JudgeContext,
  problem: Problem,
  statement?: JudgedStatement,
): Judged {
  const verdict = {
    kind: "refuse",
    problem,
    statementKind: statement?.statementKind ?? "UNKNOWN",
    relations: statement?.relations ?? [],
    unresolved: false,
  } as const;
  return refusal(source, Buffer.from(source, "latin1").toString("utf8"), context, verdict);
}

function refusal(
  source: string,
  text: string,
  context: JudgeContext,
  verdict: Extract<Verdict, { kind: "refuse" }>,
): Judged {
  const { problem, statementKind, relations, unresolved } = verdict;
  const fragment = serialiseStatement({
    role: context.grants.role,
    sql: text,
    kind: statementKind,
    relations,
    verdict: "refuse",
    rules: [],
    sent: undefined,
    refusal: { sqlstate: sqlstate(problem), message: problem.message },
  });
  return build(source, context, verdict, {
    fragments: [fragment],
    statements: [],
    sql: refusedSql,
    refusal: errorResponse(problem, "ERROR"),
    unresolved,
  });
}

function runs(
  source: string,
  text: string,
  context: JudgeContext,
  verdict: Extract<Verdict, { kind: "run" }>,
): Judged {
  const { statements, rewritten } = verdict;
  const own = splitStatements(text, statements.length);
  const sent = rewritten ? splitStatements(verdict.text, statements.length) : own;
  const fragments = statements.map((statement, index) =>
    serialiseStatement({
      role: context.grants.role,
      sql: own[index]!,
      kind: statement.statementKind,
      relations: statement.relations,
      verdict: "run",
      rules: statement.rules,
      sent: sent[index] === own[index] ? undefined : sent[index],
      refusal: undefined,
    }),
  );
  const sql = rewritten ? verdict.text : undefined;
  return build(source, context, verdict, {
    fragments,
    statements,
    sql,
    refusal: undefined,
    unresolved: false,
  });
}

type Parts = {
  readonly fragments: readonly string[];
  readonly statements: readonly JudgedStatement[];
  readonly sql: string | undefined;
  readonly refusal: Buffer | undefined;
  readonly unresolved: boolean;
};

/** One constructor for all, so that the hot path sees objects of one shape. */
function build(source: string, context: JudgeContext, verdict: Verdict, parts: Parts): Judged {
  const { fragments, statements, sql, refusal, unresolved } = parts;
  const list: Runnable[] = [];
  const message = sql === undefined ? undefined : query(sql);
  const characters = source.length + fragments.reduce((sum, fragment) => sum + fragment.length, 0);
  const judged = {
    source,
    context,
    verdict,
    runs: list,
    first: undefined as unknown as Runnable,
    plain: statements.every(isPlain),
    query: message,
    sql,
    refusal,
    unresolved,
    size: 1000 + 2 * characters + 2 * (message?.length ?? 0) + (refusal?.length ?? 0),
  };
  for (const [index, statement] of statements.entries()) {
    list.push({ judged, statement, fragment: fragments[index]!, plain: isPlain(statement) });
  }
  judged.first = list[0] ?? { judged, statement: undefined, fragment: fragments[0] ?? "", plain: true };
  return judged;
}

/** A kind that the session itself has to follow. */
export const copyFrom = "COPY FROM";

function isPlain({ effect, statementKind }: JudgedStatement): boolean {
  return effect.kind === "none" && statementKind !== copyFrom;
}

/** What an SQL `PREPARE` or `DECLARE` leaves behind under its name. */
export function preparedBySql(run: Runnable, statement: JudgedStatement): Runnable {
  return {
    ...run,
    statement,
    fragment: fragmentLike(run, statement, statement.statementKind),
    plain: isPlain(statement),
  };
}

/** The record of an SQL `EXECUTE`: it touches what was prepared. */
export function fragmentOfExecute(run: Runnable, prepared: JudgedStatement): string {
  return fragmentLike(run, prepared, run.statement?.statementKind ?? prepared.statementKind);
}

function fragmentLike({ judged }: Runnable, { relations, rules }: JudgedStatement, kind: string): string {
  return serialiseStatement({
    role: judged.context.grants.role,
    sql: Buffer.from(judged.source, "latin1").toString("utf8"),
    kind,
    relations,
    verdict: "run",
    rules,
    sent: judged.sql,
    refusal: undefined,
  });
}
