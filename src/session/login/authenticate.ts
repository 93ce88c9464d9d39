import type { IdentitiesConfig } from "../../config/config.ts";
import { chooseMethod, type MethodRule, type Stranger } from "../../identity/choose-method.ts";
import type { ClientCertificate } from "../../identity/client-certificate.ts";
import type { Identity } from "../../identity/identity.ts";
import type { JwtIssuer } from "../../identity/jwt-issuer.ts";
import { proveCertificate } from "./exchange/certificate.ts";
import { proveOauth } from "./exchange/oauth.ts";
import { provePassword } from "./exchange/password.ts";
import { proveToken } from "./exchange/token.ts";
import type { Inbox } from "./inbox.ts";
import { LoginRefused } from "./login-refused.ts";

/** What an exchange stands on. */
export type Premises = {
  readonly stranger: Stranger;
  readonly identities: IdentitiesConfig;
  readonly clientCertificate: ClientCertificate;
  /** Undefined: no TLS, or a certificate that cannot be bound to. */
  readonly certificateHash: Buffer | undefined;
  /** From which mock verifiers are derived. */
  readonly mockSecret: Buffer;
  /** To be called before a client can tell whether its secret was right. @throws LoginRefused too_many_failures */
  readonly admit: () => Promise<void>;
};

/**
 * Who is this? Runs the exchange that the first fitting rule of `authentication` asks for.
 * @throws LoginRefused, with the same words whether it is the name or the secret that is wrong; RolegateError
 *   protocol_violation for a message that does not belong here
 */
export async function authenticate(inbox: Inbox, premises: Premises): Promise<Identity> {
  const { stranger, identities, clientCertificate: shown } = premises;
  const rule = chooseMethod(stranger, identities.rules);
  if (rule === undefined)
    throw turnedAway("no authentication rule for", stranger, "no rule of authentication fits");
  const identity = await prove(inbox, premises, rule);
  if (shown.kind !== "valid") return identity;
  const { fingerprint, otherFingerprints, validTo } = shown.certificate;
  const fingerprints = [fingerprint, ...otherFingerprints];
  // Where it had to be there, the session has no longer than it has.
  const { expiresAt = validTo } = identity;
  return rule.certificate === true
    ? { ...identity, fingerprints, expiresAt: Math.min(expiresAt, validTo) }
    : { ...identity, fingerprints };
}

async function prove(inbox: Inbox, premises: Premises, rule: MethodRule): Promise<Identity> {
  const { stranger } = premises;
  switch (rule.method) {
    case "password":
      return provePassword(inbox, premises);
    case "jwt":
      return proveToken(inbox, premises, issuersOf(rule, premises));
    case "oauth": {
      const [issuer] = issuersOf(rule, premises);
      if (issuer === undefined) break;
      return proveOauth(inbox, premises, issuer);
    }
    case "certificate":
      return proveCertificate(premises);
    case "reject":
      break;
  }
  throw turnedAway("authentication rules reject", stranger, `rejected by ${rule.source}`);
}

function issuersOf({ issuer }: MethodRule, { identities }: Premises): readonly JwtIssuer[] {
  return issuer === undefined ? identities.jwt : identities.jwt.filter((one) => one.issuer === issuer);
}

function turnedAway(why: string, { user, database, address, encrypted }: Stranger, reason: string) {
  const how = encrypted ? "TLS" : "no encryption";
  const message = `${why} host "${address}", user "${user}", database "${database}", ${how}`;
  return new LoginRefused("not_admitted", message, reason);
}
