import { serialiseTexts } from "../audit/recorder.ts";
import { RolegateError, type Problem } from "../errors.ts";
import type { JudgeContext } from "../rewrite/judgement.ts";
import type { JudgedStatement, Verdict } from "../rewrite/verdict.ts";
import { query } from "../wire/frontend-rewrite.ts";
import { splitStatements } from "./split-statements.ts";

/** Turns a text into a verdict; rewrite/judge.ts, or a stand-in. */
export type Judge = (text: string, context: JudgeContext) => Verdict;

/** What judging a text has found out, as plain data: it may have been done in another thread. */
export type JudgedParts = {
  /** Why the text is refused. */
  readonly problem: Problem | undefined;
  /** The kind and relations of a refused text, as far as they could be told. */
  readonly kind: string;
  readonly relations: readonly string[];
  /** A name did not resolve, or its columns were not known: worth another try against a fresh catalog. */
  readonly unresolved: boolean;
  /** Of a text that runs. */
  readonly statements: readonly JudgedStatement[];
  /** The texts on record (audit/serialise.ts), one for each statement, or one for a text that is refused. */
  readonly texts: readonly string[];
  /** The Query that goes upstream in place of the client's; undefined: the client's own. */
  readonly query: Uint8Array | undefined;
};

const invalid: Problem = { code: "encoding_invalid", message: "the statement is not valid UTF-8" };

/**
 * Judges a text. Never throws: what goes wrong is a refusal.
 * @param text undefined: its bytes are not valid UTF-8; `shown` then stands on record.
 * @param failed hears of faults of our own; must not log the text.
 */
export function judgeParts(
  text: string | undefined,
  shown: () => string,
  context: JudgeContext,
  judge: Judge,
  failed: (error: unknown) => void,
): JudgedParts {
  if (text === undefined) return refusedParts(invalid, shown());
  try {
    const verdict = judge(text, context);
    if (verdict.kind === "run") return runningParts(text, verdict);
    return { ...refusedParts(verdict.problem, text), ...told(verdict) };
  } catch (error) {
    if (error instanceof RolegateError) return refusedParts(error.problem, text);
    if (error instanceof RangeError)
      return refusedParts({ code: "statement_too_complex", message: "statement is nested too deeply" }, text);
    failed(error);
    return refusedParts({ code: "internal", message: "the statement could not be judged" }, text);
  }
}

function told({ statementKind, relations, unresolved }: Extract<Verdict, { kind: "refuse" }>) {
  return { kind: statementKind, relations, unresolved };
}

/** A refusal of which nothing more is known. */
export function refusedParts(problem: Problem, text: string): JudgedParts {
  return {
    problem,
    kind: "UNKNOWN",
    relations: [],
    unresolved: false,
    statements: [],
    texts: [serialiseTexts(text, undefined)],
    query: undefined,
  };
}

function runningParts(
  text: string,
  { statements, rewritten, text: sentText, unsettled }: Extract<Verdict, { kind: "run" }>,
): JudgedParts {
  const own = splitStatements(text, statements.length);
  const sent = rewritten ? splitStatements(sentText, statements.length) : own;
  return {
    problem: undefined,
    kind: "",
    relations: [],
    unresolved: unsettled ?? false,
    statements,
    texts: own.map((sql, index) => serialiseTexts(sql, sent[index] === sql ? undefined : sent[index])),
    query: rewritten ? query(sentText) : undefined,
  };
}
