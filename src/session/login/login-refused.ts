import { RolegateError, type ErrorCode } from "../../errors.ts";

/** A login that failed: `reason` is for the record, and may say more than the client is told. */
export class LoginRefused extends RolegateError {
  readonly reason: string;

  constructor(code: ErrorCode, message: string, reason: string, hint?: string) {
    super({ code, message, hint });
    this.reason = reason;
  }
}

/** One in which nobody guessed: a key set could not be had, or the token was right until it expired. */
export class NoGuess extends LoginRefused {}

/** The name or the secret is wrong, in PostgreSQL's own words: the same ones whichever it is. */
export function wrongSecret(user: string, reason: string, Refused = LoginRefused): LoginRefused {
  const message = `password authentication failed for user "${user}"`;
  return new Refused("authentication_failed", message, reason);
}
