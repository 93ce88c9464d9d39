import * as z from "zod";
import { custom, mapping } from "../document/mapping.ts";
import { attributeNameExpected, isAttributeName } from "../identity/attributes.ts";
import { parseVerifier } from "../scram/verifier.ts";
import { attributeSetting } from "./attribute-setting.ts";
import { mockSecretSetting } from "./mock-secret.ts";
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
    mockSecret: mockSecretSetting(sources)
      .optional()
      .describe(
        "What the answers to names that do not exist are made from; the same on all instances. Left out: a random one, kept in the file `var/mock-secret`.",
      ),
  });
}

/** A mapping of attributes; an attribute's name is the operator's to choose. */
export function byAttribute<Value extends z.ZodType>(value: Value, expected: string) {
  return z.record(attributeName, value, { error: expected }).prefault({} as Record<string, z.input<Value>>);
}
