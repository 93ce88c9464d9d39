import * as z from "zod";
import { custom, mapping } from "../document/mapping.ts";
import {
  attributeNameExpected,
  attributeValue,
  attributeValueExpected,
  isAttributeName,
} from "../identity/attributes.ts";
import { parseVerifier } from "../scram/verifier.ts";
import { sourced } from "./sourced.ts";
import type { Sources } from "./sources.ts";

const verifierExpected = "a SCRAM-SHA-256 verifier, as `rolegate password` prints it";

const attributeName = z.string().refine(isAttributeName, { error: attributeNameExpected });

/** One entry of `users` in a `password` identity. */
export function userSchema(sources: Sources | undefined) {
  const verifier = z.string({ error: verifierExpected }).transform((value, context) => {
    const parsed = parseVerifier(value);
    if (parsed !== undefined) return parsed;
    context.addIssue(custom(verifierExpected, "text of another form", "not a verifier"));
    return z.NEVER;
  });
  const literal = z.union([z.string(), z.number(), z.boolean()], { error: attributeValueExpected });
  const value = z
    .union([literal, z.array(literal)], { error: attributeValueExpected })
    .transform((given, context) => {
      const attribute = attributeValue(given);
      if (attribute !== undefined) return attribute;
      context.addIssue(custom(attributeValueExpected, undefined, "wrong value"));
      return z.NEVER;
    });
  return mapping({
    verifier: sourced(verifier, sources).describe(
      "SCRAM-SHA-256$…, as `rolegate password` prints it; never the password.",
    ),
    attributes: byAttribute(sourced(value, sources), "a mapping of attributes to values").describe(
      "What rules and conditions know as identity.<attribute>.",
    ),
  });
}

/** A `password` entry of `identities`. */
export function passwordSchema(sources: Sources | undefined) {
  return mapping({
    type: z
      .literal("password", { error: "jwt or password" })
      .describe("How they prove it: SCRAM-SHA-256 with a password."),
    users: z
      .record(z.string(), userSchema(sources), { error: "a mapping of names to verifiers" })
      .describe("People and services that prove themselves with a password (SCRAM-SHA-256)."),
  });
}

/** A mapping of attributes; an attribute's name is the operator's to choose. */
export function byAttribute<Value extends z.ZodType>(value: Value, expected: string) {
  return z.record(attributeName, value, { error: expected }).prefault({} as Record<string, z.input<Value>>);
}
