import { RolegateError } from "../errors.ts";

/** What a client is told of any failure to reach the database; `cause`, which names hosts and logins, is for the log. */
export function unavailable(cause: unknown): RolegateError {
  const error = new RolegateError({ code: "upstream_unavailable", message: "the database is not available" });
  error.cause = cause;
  return error;
}
