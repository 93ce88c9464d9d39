import { refuse, RolegateError } from "../../../errors.ts";
import { mayReceiveToken } from "../../../identity/choose-method.ts";
import { provenCertificate } from "../../../identity/client-certificate.ts";
import type { Identity } from "../../../identity/identity.ts";
import type { JwtIssuer } from "../../../identity/jwt-issuer.ts";
import {
  bearerRefusal,
  kvsep,
  malformed,
  oauthBearer,
  readBearerMessage,
  type BearerMessage,
} from "../../../identity/oauth-bearer.ts";
import { type TokenResult, verifyToken } from "../../../identity/verify-token.ts";
import { authenticationSasl, authenticationSaslContinue } from "../../../wire/authentication.ts";
import { frameTable } from "../../../wire/frame-table.ts";
import { readSaslInitialResponse, readSaslResponse } from "../../../wire/frontend.ts";
import { oauthLimits } from "../../../wire/limits.ts";
import type { Premises } from "../authenticate.ts";
import type { Inbox } from "../inbox.ts";
import { LoginRefused, NoGuess } from "../login-refused.ts";
import { emptyChallenge } from "./empty-challenge.ts";

type Malformed = Extract<BearerMessage, { kind: "malformed" }>;

/** What the record says of a message without a token. */
const reasons = { discovery: "asked where tokens come from", "no token": "no bearer token" } as const;

const oauthTable = frameTable(oauthLimits, { p: { whole: oauthLimits.p } });

/**
 * OAUTHBEARER (RFC 7628): a token of that issuer, or the question where tokens come from. Success has no message of its own
 * (protocol chapter, "OAUTHBEARER Authentication"); a failure is told in JSON, acknowledged, and then an error as any other.
 */
export async function proveOauth(
  inbox: Inbox,
  { stranger, identities, clientCertificate, admit }: Premises,
  issuer: JwtIssuer,
): Promise<Identity> {
  if (!mayReceiveToken(stranger, identities.plaintextTokensOnLoopback))
    throw new LoginRefused("tls_required", "a token is taken only over TLS", "a token needs TLS");
  const { channel } = inbox;
  channel.write(authenticationSasl([oauthBearer]));
  const first = await inbox.next(oauthTable);
  const { mechanism, response } = readSaslInitialResponse(first, 0, first.length);
  if (mechanism !== oauthBearer)
    refuse("protocol_violation", "client selected an invalid SASL authentication mechanism");
  const message = readBearerMessage(response ?? (await emptyChallenge(inbox, oauthTable)));
  if (message.kind === "malformed") throw violation(message);
  const result: TokenResult =
    message.kind === "token"
      ? await verifyToken(message.token, [issuer], {
          now: Date.now(),
          method: "oauth",
          clientCertificate: provenCertificate(clientCertificate),
        })
      : { kind: "refused", reason: reasons[message.kind] };
  if (result.kind === "identity") return result.identity;
  const told = `OAuth bearer authentication failed for user "${stranger.user}"`;
  const Refused = message.kind === "token" && result.noGuess !== true ? LoginRefused : NoGuess;
  const refusal = new Refused("token_refused", told, result.reason);
  await admit();
  channel.write(authenticationSaslContinue(bearerRefusal(issuer)));
  const last = await inbox.next(oauthTable).catch((error: unknown) => {
    // It has been told, and would not count if it could leave here.
    throw message.kind === "token" ? refusal : error;
  });
  if (readSaslResponse(last, 0, last.length).toString("latin1") !== kvsep)
    throw violation(malformed("The client did not acknowledge the failure with a separator."));
  throw refusal;
}

function violation({ code, message, detail }: Malformed): RolegateError {
  return new RolegateError({ code, message, detail });
}
