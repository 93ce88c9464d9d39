import { RolegateError, type ErrorCode } from "../../errors.ts";

/** A login that failed: `reason` is for the record, and may say more than the client is told. */
export class LoginRefused extends RolegateError {
  readonly reason: string;

  constructor(code: ErrorCode, message: string, reason: string) {
    super({ code, message });
    this.reason = reason;
  }
}

/** The name or the secret is wrong, in PostgreSQL's own words: the same ones whichever it is. */
export function wrongSecret(user: string, reason: string): LoginRefused {
  const message = `password authentication failed for user "${user}"`;
  return new LoginRefused("authentication_failed", message, reason);
}
