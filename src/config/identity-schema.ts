import * as z from "zod";
import { duration } from "../document/duration.ts";
import { custom, mapping, text } from "../document/mapping.ts";
import { attributeNameExpected, isAttributeName } from "../identity/attributes.ts";
import { tokenAlgorithms } from "../identity/jwt-issuer.ts";
import { parseVerifier } from "../scram/verifier.ts";
import { attributeSetting } from "./attribute-setting.ts";
import { keySet } from "./key-set-setting.ts";
import { sourced } from "./sourced.ts";
import type { Sources } from "./sources.ts";

const verifierExpected = "a SCRAM-SHA-256 verifier, as `rolegate password` prints it";

const attributeName = z.string().refine(isAttributeName, { error: attributeNameExpected });

const timeExpected = "a time with its zone, such as 2027-01-31T00:00:00Z";

const validUntil = z.iso
  .datetime({ offset: true, error: timeExpected })
  .transform((value) => Date.parse(value));

/** One entry of `users` in a `password` identity. */
export function userSchema(sources: Sources | undefined) {
  const verifier = z.string({ error: verifierExpected }).transform((value, context) => {
    const parsed = parseVerifier(value);
    if (parsed !== undefined) return parsed;
    context.addIssue(custom(verifierExpected, "text of another form", "not a verifier"));
    return z.NEVER;
  });
  return mapping({
    verifier: sourced(verifier, sources).describe(
      "SCRAM-SHA-256$…, as `rolegate password` prints it; never the password.",
    ),
    validUntil: sourced(validUntil, sources)
      .optional()
      .describe("When the password ends, as `2027-01-31T00:00:00Z`; sessions end then too. Left out: never."),
    attributes: byAttribute(
      sourced(attributeSetting(), sources),
      "a mapping of attributes to values",
    ).describe("What rules and conditions know as identity.<attribute>."),
  });
}

/** A `password` entry of `identities`. */
export function passwordSchema(sources: Sources | undefined) {
  return mapping({
    type: z
      .literal("password", { error: "jwt, password or certificate" })
      .describe("How they prove it: SCRAM-SHA-256 with a password."),
    users: z
      .record(z.string(), userSchema(sources), { error: "a mapping of names to verifiers" })
      .describe("People and services that prove themselves with a password (SCRAM-SHA-256)."),
  });
}

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
    jwks: keySet(sources).describe("The issuer's public keys (JSON Web Key Set): an https:// URL or a file."),
    name: claim
      .prefault("sub")
      .describe("The claim that names the person or service. Dots step into nested claims."),
    attributes: byAttribute(claim, "a mapping of attributes to claims").describe(
      "Attribute → claim; dots step into nested claims, a list of steps reaches claims with dots in their names.",
    ),
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

function byAttribute<Value extends z.ZodType>(value: Value, expected: string) {
  return z.record(attributeName, value, { error: expected }).prefault({} as Record<string, z.input<Value>>);
}
