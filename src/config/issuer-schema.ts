import * as z from "zod";
import { duration } from "../document/duration.ts";
import { mapping, text } from "../document/mapping.ts";
import { tokenAlgorithms } from "../identity/jwt-issuer.ts";
import { cacheMaxAge } from "../identity/remote-key-set.ts";
import { byAttribute } from "./identity-schema.ts";
import { keySet } from "./key-set-setting.ts";
import { sourced } from "./sourced.ts";
import type { Sources } from "./sources.ts";

const scopeExpected = "scopes with one space between them";

/** scope-token *( SP scope-token ) (RFC 6749, section 3.3) */
const scopeForm = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;

const claim = z
  .union([text("a claim"), z.array(text("a claim")).nonempty({ error: "at least one step" })], {
    error: "a claim such as email or org.id, or a list of the steps to it",
  })
  .transform((value) => (typeof value === "string" ? value.split(".") : value))
  .refine((steps) => steps.every((step) => step !== ""), {
    error: "a claim such as email or org.id, without empty steps",
  });

/** A `jwt` entry of `identities`. */
export function jwtSchema(sources: Sources | undefined) {
  const audience = sourced(text("an audience"), sources);
  return mapping({
    type: z
      .literal("jwt", { error: "jwt, password or certificate" })
      .describe("How they prove it: a token (JWT) in place of the password."),
    issuer: sourced(text("the issuer, exactly as in the tokens"), sources).describe(
      "The `iss` that tokens must have.",
    ),
    audience: z
      .union([audience, z.array(audience).min(1, { error: "at least one audience" })], {
        error: "an audience, or a list of them",
      })
      .transform((value) => (typeof value === "string" ? [value] : value))
      .describe("A token must name one of these in `aud`."),
    authorizedParties: z
      .array(sourced(text("a client"), sources), { error: "a list of clients" })
      .min(1, { error: "at least one client" })
      .optional()
      .describe(
        "The clients that the issuer may have made a token for: `azp`, or `client_id`. Left out: any.",
      ),
    jwks: keySet(sources)
      .optional()
      .describe(
        "The issuer's public keys (JSON Web Key Set): an https:// URL or a file. Left out: where `<issuer>/.well-known/openid-configuration` says.",
      ),
    lastKeysFor: sourced(duration, sources)
      .refine((value) => value >= cacheMaxAge && value <= 86_400_000, { error: "10min to 24h" })
      .prefault("1h")
      .describe(
        "How long keys of a URL are believed, from when they were fetched, while they cannot be fetched again.",
      ),
    scope: sourced(text(scopeExpected).regex(scopeForm, { error: scopeExpected }), sources)
      .prefault("openid")
      .describe(
        "What clients are told to ask the issuer for, where `authentication` has a rule with method oauth.",
      ),
    name: claim
      .prefault("sub")
      .describe("The claim that names the person or service. Dots step into nested claims."),
    attributes: byAttribute(claim, "a mapping of attributes to claims").describe(
      "Attribute → claim; dots step into nested claims, a list of steps reaches claims with dots in their names.",
    ),
    mfaAcr: z
      .array(text("a value of acr"), { error: "a list of values of acr" })
      .min(1, { error: "at least one value" })
      .optional()
      .describe("Values of `acr` that mean more than one factor, beside `mfa` in `amr`."),
    algorithms: z
      .array(z.enum(tokenAlgorithms, { error: `one of ${tokenAlgorithms.join(", ")}` }), {
        error: "a list of algorithms",
      })
      .min(1, { error: "at least one algorithm" })
      .prefault([...tokenAlgorithms])
      .describe("The signature algorithms that are accepted."),
    clockTolerance: sourced(duration, sources)
      .refine((value) => value <= 300_000, { error: "at most 5min" })
      .prefault("5s")
      .describe("By how much the issuer's clock may differ."),
    allowPlaintextOnLoopback: sourced(z.boolean({ error: "true or false" }), sources)
      .prefault(false)
      .describe("Whether clients on this machine may send tokens without TLS."),
  });
}
