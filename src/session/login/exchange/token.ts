import { mayReceiveToken } from "../../../identity/choose-method.ts";
import { provenCertificate } from "../../../identity/client-certificate.ts";
import type { Identity } from "../../../identity/identity.ts";
import type { JwtIssuer } from "../../../identity/jwt-issuer.ts";
import { verifyToken } from "../../../identity/verify-token.ts";
import { authenticationCleartextPassword } from "../../../wire/authentication.ts";
import { frameTable } from "../../../wire/frame-table.ts";
import { readPassword } from "../../../wire/frontend.ts";
import { passwordLimits } from "../../../wire/limits.ts";
import type { Premises } from "../authenticate.ts";
import type { Inbox } from "../inbox.ts";
import { LoginRefused, NoGuess, wrongSecret } from "../login-refused.ts";

const passwordTable = frameTable(passwordLimits, { p: { whole: passwordLimits.p } });

/** A JWT of one of the issuers in place of the password (protocol chapter, AuthenticationCleartextPassword). */
export async function proveToken(
  inbox: Inbox,
  { stranger, identities, clientCertificate }: Premises,
  issuers: readonly JwtIssuer[],
): Promise<Identity> {
  if (!mayReceiveToken(stranger, identities.plaintextTokensOnLoopback))
    throw new LoginRefused("tls_required", "a token is taken only over TLS", "a token needs TLS");
  inbox.channel.write(authenticationCleartextPassword);
  const message = await inbox.next(passwordTable);
  const token = readPassword(message, 0, message.length);
  const result = await verifyToken(token, issuers, {
    now: Date.now(),
    method: "jwt",
    clientCertificate: provenCertificate(clientCertificate),
  });
  if (result.kind === "refused")
    throw wrongSecret(stranger.user, result.reason, result.noGuess === true ? NoGuess : LoginRefused);
  return result.identity;
}
