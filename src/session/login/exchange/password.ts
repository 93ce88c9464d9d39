import { randomBytes } from "node:crypto";
import type { Identity } from "../../../identity/identity.ts";
import { hasEnded, passwordIdentity, verifierFor } from "../../../identity/password-users.ts";
import { mechanisms, receiveFinal, receiveFirst, type Failure } from "../../../scram/exchange.ts";
import {
  authenticationSasl,
  authenticationSaslContinue,
  authenticationSaslFinal,
} from "../../../wire/authentication.ts";
import { frameTable } from "../../../wire/frame-table.ts";
import { readSaslInitialResponse, readSaslResponse } from "../../../wire/frontend.ts";
import { saslLimits } from "../../../wire/limits.ts";
import type { Premises } from "../authenticate.ts";
import type { Inbox } from "../inbox.ts";
import { LoginRefused, wrongSecret } from "../login-refused.ts";
import { emptyChallenge } from "./empty-challenge.ts";

const saslTable = frameTable(saslLimits, { p: { whole: saslLimits.p } });

/** PostgreSQL's SCRAM_RAW_NONCE_LEN. */
const nonceBytes = 18;

/** SCRAM-SHA-256, with -PLUS where there is a certificate to bind to. */
export async function provePassword(
  inbox: Inbox,
  {
    stranger: { user },
    identities: { passwordUsers: users = new Map() },
    mockSecret,
    certificateHash,
    admit,
  }: Premises,
): Promise<Identity> {
  const { channel } = inbox;
  const now = Date.now();
  const verifier = verifierFor(users, user, mockSecret, now);
  const nonce = randomBytes(nonceBytes).toString("base64");
  channel.write(authenticationSasl(mechanisms(certificateHash)));
  const first = await inbox.next(saslTable);
  const { mechanism, response } = readSaslInitialResponse(first, 0, first.length);
  const begun = receiveFirst(
    { verifier, nonce, certificateHash },
    mechanism,
    response ?? (await emptyChallenge(inbox, saslTable)),
  );
  if (begun.kind === "failed") throw refusal(user, begun);
  channel.write(authenticationSaslContinue(begun.answer));
  const last = await inbox.next(saslTable);
  const finished = receiveFinal(begun.state, readSaslResponse(last, 0, last.length));
  if (finished.kind === "failed") {
    const known = users.get(user);
    throw known !== undefined && hasEnded(known, now)
      ? wrongSecret(user, "the password has ended (validUntil)")
      : refusal(user, finished);
  }
  const identity = passwordIdentity(users, user, now);
  if (identity === undefined) throw wrongSecret(user, "no such user");
  await admit();
  channel.write(authenticationSaslFinal(finished.answer));
  return identity;
}

function refusal(user: string, { code, reason }: Failure): LoginRefused {
  return code === "authentication_failed"
    ? wrongSecret(user, reason)
    : new LoginRefused(code, reason, reason);
}
