import { serialiseFacts } from "../audit/recorder.ts";
import { sqlstate, type Problem } from "../errors.ts";
import type { JudgeContext } from "../rewrite/judgement.ts";
import type { JudgedStatement } from "../rewrite/verdict.ts";
import { errorResponse } from "../wire/error-fields.ts";
import { headerBytes } from "../wire/frame-table.ts";
import { query } from "../wire/frontend-rewrite.ts";
import { decodeBytes } from "../wire/text.ts";
import { judgeParts, refusedParts, type Judge, type JudgedParts } from "./judged-parts.ts";
import { refusedSql } from "./refused.ts";

/** One statement that may run, with what each run of it needs. */
export type Runnable = {
  readonly judged: Judged;
  /** Undefined: an empty text, or one that is refused. */
  readonly statement: JudgedStatement | undefined;
  /** Its part of the record. */
  readonly fragment: string;
  /** The texts in that. */
  readonly texts: string;
  /** It changes nothing that the session has to follow: no effect, no COPY FROM. */
  readonly plain: boolean;
};

/** A text's verdict and everything that is made of it once, so that a known text costs a look-up. */
export type Judged = {
  /** The client's text in byte form (wire/text.ts). */
  readonly source: string;
  readonly context: JudgeContext;
  /** Why it is refused; undefined: it runs. */
  readonly problem: Problem | undefined;
  /** The statements of a text that runs; empty for an empty text and for one that is refused. */
  readonly runs: readonly Runnable[];
  /** What a Parse of the text prepares: its only statement. */
  readonly first: Runnable;
  /** True if all statements are plain. */
  readonly plain: boolean;
  /** The Query that goes upstream in place of the client's; undefined: the client's own. */
  readonly query: Buffer | undefined;
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
  const shown = () => decodeLoosely(source);
  return judgedFrom(source, context, judgeParts(decodeBytes(source), shown, context, judge, failed));
}

/** A refusal for a reason that no verdict gives. `statement`: what is known of it, for the record. */
export function refused(
  source: string,
  context: JudgeContext,
  problem: Problem,
  statement?: JudgedStatement,
): Judged {
  const parts = refusedParts(problem, decodeLoosely(source));
  return judgedFrom(source, context, {
    ...parts,
    kind: statement?.statementKind ?? parts.kind,
    relations: statement?.relations ?? parts.relations,
  });
}

/** What is no text, and runs as one statement. @param shown what stands on record in the text's place */
export function judgedAs(shown: string, context: JudgeContext, statement: JudgedStatement): Judged {
  const parts = refusedParts({ code: "internal", message: "" }, shown);
  return judgedFrom(shown, context, { ...parts, problem: undefined, statements: [statement] });
}

function decodeLoosely(source: string): string {
  return Buffer.from(source, "latin1").toString("utf8");
}

const refusedQuery = query(refusedSql);

/** One constructor for all, so that the hot path sees objects of one shape. */
export function judgedFrom(source: string, context: JudgeContext, parts: JudgedParts): Judged {
  const { problem, statements, texts, unresolved } = parts;
  const refusal = problem && errorResponse(problem, "ERROR");
  const message = problem === undefined ? bufferOf(parts.query) : refusedQuery;
  const list: Runnable[] = [];
  const characters = source.length + texts.reduce((sum, text) => sum + text.length, 0);
  const judged = {
    source,
    context,
    problem,
    runs: list,
    first: undefined as unknown as Runnable,
    plain: statements.every(isPlain),
    query: message,
    refusal,
    unresolved,
    size: 1000 + 2 * characters + (message?.length ?? 0) + (refusal?.length ?? 0),
  };
  const { role } = context.grants;
  for (const [index, statement] of statements.entries()) {
    const fragment = `${runFacts(role, statement, statement.statementKind)},${texts[index]!}`;
    list.push({ judged, statement, fragment, texts: texts[index]!, plain: isPlain(statement) });
  }
  judged.first = list[0] ?? {
    judged,
    statement: undefined,
    fragment: problem === undefined ? "" : `${refusalFacts(role, problem, parts)},${texts[0]!}`,
    texts: texts[0] ?? "",
    plain: true,
  };
  return judged;
}

function bufferOf(bytes: Uint8Array | undefined): Buffer | undefined {
  return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function refusalFacts(role: string, problem: Problem, { kind, relations }: JudgedParts): string {
  const refusal = { sqlstate: sqlstate(problem), message: problem.message };
  return serialiseFacts({ role, kind, relations, verdict: "refuse", rules: [], refusal });
}

function runFacts(role: string, { relations, rules }: JudgedStatement, kind: string): string {
  return serialiseFacts({ role, kind, relations, verdict: "run", rules, refusal: undefined });
}

/** The SQL that goes upstream in place of the client's, in UTF-8; undefined: the client's own. */
export function sentSql({ query: message }: Judged): Buffer | undefined {
  return message?.subarray(headerBytes, -1);
}

/** A kind that the session itself has to follow. */
export const copyFrom = "COPY FROM";

function isPlain({ effect, statementKind, sets }: JudgedStatement): boolean {
  const followed = effect.kind !== "none" && effect.kind !== "savepoint";
  return !followed && sets.length === 0 && statementKind !== copyFrom;
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

function fragmentLike({ judged, texts }: Runnable, statement: JudgedStatement, kind: string): string {
  return `${runFacts(judged.context.grants.role, statement, kind)},${texts}`;
}
