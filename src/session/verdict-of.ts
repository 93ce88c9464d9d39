import type { Problem } from "../errors.ts";
import { mainThreadLimits } from "../sql/parser.ts";
import { judgedFrom, refused, type Judged } from "./judged.ts";
import type { JudgedParts } from "./judged-parts.ts";
import { wantsCatalog } from "./local-objects.ts";
import { currentScope, renewRoles, type SessionState } from "./state.ts";
import type { VerdictScope } from "./verdict-cache.ts";
import { Wait, waitFor } from "./wait.ts";

/** A text that another thread judges (slow-judge.ts). */
export type Asked = {
  /** In byte form. */
  readonly source: string;
  readonly scope: VerdictScope;
  /** How often it was asked for, because what it is judged against had changed in between. */
  readonly times: number;
  /** Aborts when the client cancels or has gone. */
  readonly abandoned: AbortController;
  begun: boolean;
  parts: JudgedParts | undefined;
};

/** In bytes: finding out what a longer text comes to without its long lists would itself take too long. */
const longestHere = 32 * 1024;

/** In bytes: sending a text of this length to another thread costs as much as judging it. */
const shortText = 512;

/** In bytes: what one session may have judged before the others are served. */
const mostInTurn = mainThreadLimits.text;

/**
 * The verdict of a text in byte form. Undefined: the session now waits, for another thread to judge it, or for a fresh
 * catalog because a name in it did not resolve.
 */
export function verdictOf(session: SessionState, source: string, typed: boolean = false): Judged | undefined {
  const scope = typed ? currentScope(session).typed() : currentScope(session);
  const judged = scope.known(source) ?? judgeNow(session, scope, source);
  if (judged === undefined || !judged.unresolved) {
    // Who may take a role depends on the time, and is asked when somebody wants one.
    if (judged !== undefined && isAboutRole(judged) && renewRoles(session))
      return verdictOf(session, source, typed);
    return judged;
  }
  // What runs anyway is held back only for what a catalog can tell.
  if (judged.problem === undefined && !wantsCatalog(session)) return judged;
  if (session.refreshedFor === source) {
    session.refreshedFor = undefined;
    return judged;
  }
  session.refreshedFor = source;
  waitFor(session, Wait.catalog, true);
  return undefined;
}

function isAboutRole({ problem, plain, runs }: Judged): boolean {
  if (problem !== undefined) return problem.code === "role_not_allowed";
  return !plain && runs.some(({ statement }) => statement?.effect.kind === "set-role");
}

function judgeNow(session: SessionState, scope: VerdictScope, source: string): Judged | undefined {
  const { asked } = session;
  if (asked?.source === source) return answerOf(session, asked, scope);
  const { turn } = session.database;
  if (source.length > (turn.isLong ? shortText : longestHere)) return ask(session, scope, source, 1);
  const begun = performance.now();
  const judged = scope.judge(source);
  turn.add(performance.now() - begun);
  if (judged.problem?.code === "statement_too_complex") return ask(session, scope, source, 1);
  takeTurns(session, source.length);
  return judged;
}

/** However quickly a client sends texts that nobody has judged yet, the other sessions come in between. */
function takeTurns(session: SessionState, bytes: number): void {
  if (session.judgedAt !== session.now) session.judgedBytes = 0;
  session.judgedAt = session.now;
  session.judgedBytes += bytes;
  if (session.judgedBytes <= mostInTurn) return;
  session.judgedBytes = 0;
  waitFor(session, Wait.turn, false);
}

function ask(session: SessionState, scope: VerdictScope, source: string, times: number): undefined {
  session.asked = {
    source,
    scope,
    times,
    abandoned: new AbortController(),
    begun: false,
    parts: undefined,
  };
  waitFor(session, Wait.verdict, true);
}

const changing: Problem = {
  code: "statement_too_complex",
  message: "the database's schema changed whenever the statement had been judged",
  hint: "Try again.",
};

function answerOf(session: SessionState, asked: Asked, scope: VerdictScope): Judged | undefined {
  const { source, parts, times } = asked;
  if (parts === undefined) {
    waitFor(session, Wait.verdict, true);
    return undefined;
  }
  session.asked = undefined;
  if (asked.scope === scope) return scope.keep(judgedFrom(source, scope.context, parts));
  return times < 5 ? ask(session, scope, source, times + 1) : refused(source, scope.context, changing);
}

/** The refusal of a statement that is longer than what is read of one. */
export function tooLong(session: SessionState, length: number, limit: number): Judged {
  return refused(`(a statement of ${length} bytes)`, session.scope.context, {
    code: "statement_too_complex",
    message: `the statement is too long: its message has ${length} bytes, and the limit is ${limit}`,
    hint: "Split it into several, or send its values as parameters or with COPY.",
  });
}

/** While nothing can be put on record nothing runs; undefined if all is well. */
export function unrecorded(session: SessionState, source: string): Judged | undefined {
  if (session.recorder.failure === undefined) return undefined;
  return refused(source, session.scope.context, {
    code: "audit_unavailable",
    message: "the statement cannot be put on record, so it does not run",
  });
}
