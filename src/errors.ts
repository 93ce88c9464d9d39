/**
 * Every error that rolegate raises towards a client: one row per code, with the SQLSTATE that
 * PostgreSQL's own table gives for the case (PostgreSQL documentation, appendix A).
 * `docs/errors.md` lists the same rows; a test holds the two together.
 */
export const errorTable = {
  // the connection, before a session exists
  protocol_violation: { sqlstate: "08P01", meaning: "a message that the protocol does not allow here" },
  unsupported_protocol: {
    sqlstate: "0A000",
    meaning: "a protocol version or feature that rolegate does not speak",
  },
  tls_required: { sqlstate: "28000", meaning: "the listener takes this only over TLS" },
  not_admitted: { sqlstate: "28000", meaning: "no rule of authentication admits the connection" },
  authentication_failed: { sqlstate: "28P01", meaning: "the name or the secret is wrong" },
  too_many_failures: {
    sqlstate: "28000",
    meaning: "too many logins failed before, with the name or from the network",
  },
  token_refused: {
    sqlstate: "28000",
    meaning: "the token of OAUTHBEARER is missing or not believed",
  },
  authentication_timeout: { sqlstate: "08006", meaning: "the client took too long to log in" },
  no_role: { sqlstate: "28000", meaning: "no access entry lets this identity take the role" },
  unknown_database: { sqlstate: "3D000", meaning: "the database is not one that rolegate serves" },
  attribute_missing: {
    sqlstate: "28000",
    meaning: "a rule of the role needs an attribute that the identity lacks",
  },
  too_many_connections: { sqlstate: "53300", meaning: "the limit of connections is reached" },
  upstream_unavailable: {
    sqlstate: "08006",
    meaning: "the database cannot be reached or refused rolegate's login",
  },
  access_revoked: {
    sqlstate: "28000",
    meaning: "who logs in, what proved it or the role was revoked; also an answer to SET ROLE",
  },
  store_unavailable: {
    sqlstate: "08006",
    meaning: "rolegate's store cannot be reached, so it is not known whether access was revoked",
  },
  session_ended: {
    sqlstate: "57P01",
    meaning:
      "rolegate ends the session: shutdown, a token that expired, or access that was taken away or ended",
  },
  // a statement
  statement_unparsable: { sqlstate: "42601", meaning: "the server's grammar does not accept the text" },
  statement_too_complex: { sqlstate: "54001", meaning: "longer or more deeply nested than rolegate judges" },
  statement_cancelled: {
    sqlstate: "57014",
    meaning: "the client cancelled the statement before it was judged",
  },
  judgement_busy: { sqlstate: "53000", meaning: "too many long statements are waiting to be judged" },
  encoding_invalid: { sqlstate: "22021", meaning: "the text is not valid UTF-8 or holds a NUL byte" },
  statement_not_allowed: { sqlstate: "42501", meaning: "this kind of statement is not allowed" },
  statement_not_supported: { sqlstate: "0A000", meaning: "rolegate cannot judge this yet, so it is refused" },
  relation_not_allowed: {
    sqlstate: "42501",
    meaning: "the role has no rule for the relation or for this use of it",
  },
  column_not_allowed: { sqlstate: "42501", meaning: "the role may not use the column like this" },
  column_unknown: { sqlstate: "42703", meaning: "the column does not exist for this role" },
  name_taken: { sqlstate: "42P07", meaning: "the name is that of another object and could stand for it" },
  function_not_allowed: {
    sqlstate: "42501",
    meaning: "the function is not known to be safe and the role does not name it",
  },
  operator_not_allowed: { sqlstate: "42501", meaning: "the operator is not one of the server's own" },
  setting_invalid: { sqlstate: "22023", meaning: "the server does not take the value of a setting" },
  setting_not_allowed: { sqlstate: "42501", meaning: "the setting is not on the role's list" },
  role_not_allowed: { sqlstate: "42501", meaning: "the identity may not take the role" },
  role_change_here: {
    sqlstate: "25001",
    meaning: "the role cannot change inside a transaction or beside other statements",
  },
  request_not_allowed: {
    sqlstate: "42501",
    meaning: "the identity may not ask for the role, or not decide the request",
  },
  request_unknown: { sqlstate: "42704", meaning: "there is no such request that the identity may decide" },
  request_settled: { sqlstate: "55000", meaning: "the request is decided or over" },
  request_invalid: {
    sqlstate: "22023",
    meaning: "what is asked for is not possible: too long, or no reason",
  },
  check_violated: { sqlstate: "42501", meaning: "a new row does not satisfy the rule's check" },
  audit_unavailable: {
    sqlstate: "58030",
    meaning: "the statement cannot be put on record, so it does not run",
  },
  internal: { sqlstate: "XX000", meaning: "a fault in rolegate; the statement did not run" },
} as const;

export type ErrorCode = keyof typeof errorTable;

/** What a client is told: the fields of an ErrorResponse (protocol chapter, "Error and Notice Message Fields"). */
export type Problem = {
  readonly code: ErrorCode;
  readonly message: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  /** 1-based character (not byte) position in the client's statement. */
  readonly position?: number | undefined;
};

/** The SQLSTATE of a problem, five characters. */
export function sqlstate(problem: Problem): string {
  return errorTable[problem.code].sqlstate;
}

/** A problem on its way to the client; thrown where a return value would obscure the pipeline. */
export class RolegateError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.message);
    this.name = "RolegateError";
    this.problem = problem;
  }
}

/** What a client is told of an error. */
export function problemOf(error: unknown): Problem {
  if (error instanceof RolegateError) return error.problem;
  return { code: "internal", message: "a fault in rolegate" };
}

/** Throws the problem made of the arguments. */
export function refuse(
  code: ErrorCode,
  message: string,
  more: Omit<Problem, "code" | "message"> = {},
): never {
  throw new RolegateError({ code, message, ...more });
}
