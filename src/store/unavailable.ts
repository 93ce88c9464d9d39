import { DatabaseError } from "pg";
import { RolegateError } from "../errors.ts";

/** Its own words: the statement was wrong, or refused by a constraint. What remains says that the server cannot serve. */
const notServing = /^(?:08|53|57P|58|XX|25006)/;

/** An error of a connection or a statement: the store's answer as it is, else `store_unavailable` with it as the cause. */
export function storeError(error: unknown): unknown {
  const answer = error instanceof DatabaseError && error.code !== undefined && !notServing.test(error.code);
  return answer ? error : storeUnavailable(error);
}

export function isUnavailable(error: unknown): boolean {
  return error instanceof RolegateError && error.problem.code === "store_unavailable";
}

/** What a client is told of any failure to reach the store; `cause`, which names hosts and logins, is for the log. */
export function storeUnavailable(cause: unknown): RolegateError {
  const error = new RolegateError({
    code: "store_unavailable",
    message: "access cannot be decided: rolegate's store is not available",
  });
  error.cause = cause;
  return error;
}
