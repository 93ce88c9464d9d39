import * as z from "zod";
import { custom, mapping, text } from "../document/mapping.ts";
import { attributeNameExpected, isAttributeName } from "../identity/attributes.ts";
import type { CertificateName } from "../identity/certificate-names.ts";
import type { AttributeValue } from "../identity/identity.ts";
import {
  capturesOf,
  compilePattern,
  patternExpected,
  type Pattern,
  type PatternKind,
} from "../identity/name-template.ts";
import { attributeSetting } from "./attribute-setting.ts";
import { sourced } from "./sourced.ts";
import type { Sources } from "./sources.ts";

function pattern(kind: PatternKind, sources: Sources | undefined) {
  const compiled = text(patternExpected).transform((value, context): Pattern => {
    const found = compilePattern(value, kind);
    if (found !== undefined) return found;
    context.addIssue(custom(patternExpected, undefined, "not a usable pattern"));
    return z.NEVER;
  });
  return sourced(compiled, sources);
}

const subjectTypes = "an attribute type such as CN, O or OU";

/** A `certificate` entry of `identities`. */
export function certificateSchema(sources: Sources | undefined) {
  const template = text("text with {captures} of the patterns");
  const match = mapping({
    uri: pattern("uri", sources)
      .optional()
      .describe("A URI among the alternative names, as SPIFFE has it; a capture stands for one segment."),
    dns: pattern("dns", sources)
      .optional()
      .describe("A host name among the alternative names; a capture stands for one label."),
    email: pattern("email", sources)
      .optional()
      .describe(
        "A mail address among the alternative names; a capture stands for the part on one side of the @.",
      ),
    subject: z
      .record(z.string().regex(/^[A-Za-z]+$/, { error: subjectTypes }), pattern("subject", sources), {
        error: "a mapping of attribute types to patterns",
      })
      .optional()
      .describe("Attribute types of the subject, such as CN; each must be there once."),
    name: sourced(template, sources).describe(
      "The identity's name; {captures} of the patterns are filled in.",
    ),
    attributes: z
      .record(
        z.string().refine(isAttributeName, { error: attributeNameExpected }),
        sourced(attributeSetting(), sources),
        {
          error: "a mapping of attributes to values",
        },
      )
      .prefault({})
      .describe("What rules and conditions know as identity.<attribute>; {captures} are filled in."),
  }).transform((given, context): CertificateName => {
    const entry = entryOf(given);
    for (const problem of problemsOf(entry)) context.addIssue(problem);
    return entry;
  });
  return mapping({
    type: z
      .literal("certificate", { error: "jwt, password or certificate" })
      .describe("How they prove it: a client certificate (TLS)."),
    match: z
      .array(match, { error: "a list of patterns and names" })
      .min(1, { error: "at least one entry" })
      .describe("Whose certificates are meant, and what they say; the first entry that fits."),
  });
}

type Given = {
  readonly uri?: Pattern | undefined;
  readonly dns?: Pattern | undefined;
  readonly email?: Pattern | undefined;
  readonly subject?: Readonly<Record<string, Pattern>> | undefined;
  readonly name: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
};

function entryOf({ uri, dns, email, subject, name, attributes }: Given): CertificateName {
  const alternative = new Map<"uri" | "dns" | "email", Pattern>();
  if (uri !== undefined) alternative.set("uri", uri);
  if (dns !== undefined) alternative.set("dns", dns);
  if (email !== undefined) alternative.set("email", email);
  return {
    subject: new Map(Object.entries(subject ?? {})),
    alternative,
    name,
    attributes: new Map(Object.entries(attributes)),
  };
}

/** What is wrong with an entry as a whole. */
function problemsOf({ subject, alternative, name, attributes }: CertificateName) {
  const patterns = [...subject.values(), ...alternative.values()];
  const captures = patterns.flatMap((each) => each.captures);
  if (patterns.length === 0)
    return [custom("uri, dns, email or subject", "none of them", "it would fit every certificate")];
  const twice = captures.find((each, index) => captures.indexOf(each) < index);
  if (twice !== undefined)
    return [custom("each capture in one place", `{${twice}} twice`, "not usable together")];
  const used = [name, ...[...attributes.values()].flat()].flatMap((each) =>
    typeof each === "string" ? capturesOf(each) : [],
  );
  const unknown = used.find((each) => !captures.includes(each));
  if (unknown === undefined) return [];
  const known = captures.map((each) => `{${each}}`).join(", ") || "text without {captures}";
  return [custom(known, `{${unknown}}`, "unknown capture")];
}
