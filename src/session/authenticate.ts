import { randomBytes } from "node:crypto";
import type { IdentitiesConfig } from "../config/config.ts";
import { RolegateError, type ErrorCode } from "../errors.ts";
import { chooseMethod, mayReceiveToken } from "../identity/choose-method.ts";
import type { Identity } from "../identity/identity.ts";
import { passwordIdentity, verifierFor, type PasswordUsers } from "../identity/password-users.ts";
import { verifyToken } from "../identity/verify-token.ts";
import { mechanisms, receiveFinal, receiveFirst, type Failure } from "../scram/exchange.ts";
import {
  authenticationCleartextPassword,
  authenticationSasl,
  authenticationSaslContinue,
  authenticationSaslFinal,
} from "../wire/authentication.ts";
import { frameTable } from "../wire/frame-table.ts";
import { readPassword, readSaslInitialResponse, readSaslResponse } from "../wire/frontend.ts";
import { passwordLimits, saslLimits } from "../wire/limits.ts";
import type { Inbox } from "./inbox.ts";

const passwordTable = frameTable(passwordLimits, { p: { whole: passwordLimits.p } });
const saslTable = frameTable(saslLimits, { p: { whole: saslLimits.p } });

/** PostgreSQL's SCRAM_RAW_NONCE_LEN. */
const nonceBytes = 18;

/** From which mock verifiers are derived. */
const mockSecret = randomBytes(32);

export type AuthenticationOptions = {
  readonly identities: IdentitiesConfig;
  /** Undefined: no TLS, or a certificate that cannot be bound to. */
  readonly certificateHash: Buffer | undefined;
  readonly encrypted: boolean;
  /** The client's IP address. */
  readonly address: string;
};

/** A login that failed: `reason` is for the record, and may say more than the client is told. */
export class LoginRefused extends RolegateError {
  readonly reason: string;

  constructor(code: ErrorCode, message: string, reason: string) {
    super({ code, message });
    this.reason = reason;
  }
}

/**
 * Who is this? Runs the exchange that the name's form and the configuration ask for.
 * @throws LoginRefused, with the same words whether it is the name or the secret that is wrong; RolegateError
 *   protocol_violation for a message that does not belong here
 */
export async function authenticate(
  inbox: Inbox,
  user: string,
  options: AuthenticationOptions,
): Promise<Identity> {
  const { identities, encrypted, address } = options;
  if (chooseMethod(user, identities) === "scram")
    return scram(inbox, user, identities.passwordUsers ?? new Map(), options.certificateHash);
  if (!mayReceiveToken({ encrypted, remoteAddress: address }, identities))
    throw new LoginRefused("tls_required", "a token is taken only over TLS", "a token needs TLS");
  return token(inbox, user, identities);
}

async function scram(
  inbox: Inbox,
  user: string,
  users: PasswordUsers,
  certificateHash: Buffer | undefined,
): Promise<Identity> {
  const { channel } = inbox;
  const verifier = verifierFor(users, user, mockSecret);
  const nonce = randomBytes(nonceBytes).toString("base64");
  channel.write(authenticationSasl(mechanisms(certificateHash)));
  const first = await inbox.next(saslTable);
  const { mechanism, response } = readSaslInitialResponse(first, 0, first.length);
  const begun = receiveFirst(
    { verifier, nonce, certificateHash },
    mechanism,
    response ?? (await emptyChallenge(inbox)),
  );
  if (begun.kind === "failed") throw refusal(user, begun);
  channel.write(authenticationSaslContinue(begun.answer));
  const last = await inbox.next(saslTable);
  const finished = receiveFinal(begun.state, readSaslResponse(last, 0, last.length));
  if (finished.kind === "failed") throw refusal(user, finished);
  const identity = passwordIdentity(users, user);
  if (identity === undefined) throw wrong(user, "no such user");
  channel.write(authenticationSaslFinal(finished.answer));
  return identity;
}

/** A client that sent no initial response is asked for one with an empty challenge (RFC 4422, section 5). */
async function emptyChallenge(inbox: Inbox): Promise<Buffer> {
  inbox.channel.write(authenticationSaslContinue(""));
  const message = await inbox.next(saslTable);
  return readSaslResponse(message, 0, message.length);
}

async function token(inbox: Inbox, user: string, { jwt }: IdentitiesConfig): Promise<Identity> {
  inbox.channel.write(authenticationCleartextPassword);
  const message = await inbox.next(passwordTable);
  const result = await verifyToken(readPassword(message, 0, message.length), jwt, Date.now());
  if (result.kind === "refused") throw wrong(user, result.reason);
  return result.identity;
}

function refusal(user: string, { code, reason }: Failure): LoginRefused {
  return code === "authentication_failed" ? wrong(user, reason) : new LoginRefused(code, reason, reason);
}

/** PostgreSQL's own words. */
function wrong(user: string, reason: string): LoginRefused {
  return new LoginRefused(
    "authentication_failed",
    `password authentication failed for user "${user}"`,
    reason,
  );
}
