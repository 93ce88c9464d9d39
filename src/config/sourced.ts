import * as z from "zod";
import { custom, type IssueSink, mapping } from "../document/mapping.ts";
import { keepSecret, type RoleSecret, type Secret } from "./secret.ts";
import { forRole, namesRole, readReference, type Reference, resolveReference } from "./reference.ts";
import type { Sources } from "./sources.ts";

const environment = mapping({ env: z.string().describe("The name of an environment variable.") }).meta({
  id: "environment",
  description: "The value of an environment variable.",
});
const file = mapping({
  file: z.string().describe("A file with the value; relative to the configuration file."),
}).meta({ id: "file", description: "The content of a file." });
const command = mapping({
  command: z
    .array(z.string())
    .min(1)
    .describe("A program and its arguments that print the value; run without a shell."),
});

/**
 * A value that may also be written as `{ env: NAME }` or `{ file: path }`.
 * @param sources undefined: the schema is only to be described, as for the JSON Schema.
 */
export function sourced<Schema extends z.ZodType>(
  inner: Schema,
  sources: Sources | undefined,
): z.ZodType<z.output<Schema>> {
  if (sources === undefined)
    return z.union([inner, environment, file]) as unknown as z.ZodType<z.output<Schema>>;
  const resolve = (value: unknown, context: z.RefinementCtx): unknown => {
    const reference = readReference(value);
    if (reference === undefined || reference.kind === "command") return value;
    const text = resolveReference(reference, sources, context);
    return text === undefined ? z.NEVER : scalar(text, inner);
  };
  return z.preprocess(resolve, inner);
}

/** Numbers and truth values, where the schema wants them: in a variable everything is text. */
function scalar(text: string, schema: z.ZodType): unknown {
  const wanted = schema.def.type;
  if (wanted === "number" && /^-?[0-9]{1,15}(\.[0-9]+)?$/.test(text)) return Number(text);
  if (wanted === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}

const secretExpected =
  "{ env: NAME }, { file: path } or { command: [program, argument, …] }, so that the secret is not in this file";

/** A secret: never written in the file itself. */
export function secret(sources: Sources | undefined): z.ZodType<Secret> {
  return referenced(sources).transform(
    (reference, context) => readSecret(reference, sources!, context) ?? z.NEVER,
  );
}

/** A secret for each role: the same one, or where the reference has `{role}` in it, one of its own. */
export function roleSecret(sources: Sources | undefined): z.ZodType<RoleSecret> {
  return referenced(sources).transform((reference, context): RoleSecret => {
    if (namesRole(reference))
      return (role, sink) => {
        if (/^[A-Za-z0-9_-]+$/.test(role)) return readSecret(forRole(reference, role), sources!, sink);
        // It would stand in a path, in a variable's name or among a command's words.
        sink.addIssue(
          custom("a role of letters, digits, _ and -, for {role} here", `role ${role}`, "not usable"),
        );
        return undefined;
      };
    const one = readSecret(reference, sources!, context);
    return one === undefined ? z.NEVER : () => one;
  });
}

function referenced(sources: Sources | undefined): z.ZodType<Reference> {
  if (sources === undefined) return z.union([environment, file, command]) as unknown as z.ZodType<Reference>;
  return z.unknown().transform((value, context) => {
    const reference = readReference(value);
    if (reference !== undefined) return reference;
    context.addIssue(custom(secretExpected, undefined, "wrong value"));
    return z.NEVER;
  });
}

function readSecret(reference: Reference, sources: Sources, sink: IssueSink): Secret | undefined {
  if (reference.kind === "command" && sources.commandsLater === true)
    return keepSecret(reference, sources, undefined);
  const text = resolveReference(reference, sources, sink);
  if (text === undefined) return undefined;
  if (!text.includes("\0")) return keepSecret(reference, sources, text);
  sink.addIssue(custom("a value without NUL characters", "one with a NUL", "wrong value"));
  return undefined;
}
