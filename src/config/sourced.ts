import * as z from "zod";
import { custom, mapping } from "../document/mapping.ts";
import { keepSecret } from "./secret.ts";
import { readReference, resolveReference } from "./reference.ts";
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
export function secret(sources: Sources | undefined): z.ZodType<() => Promise<string>> {
  if (sources === undefined)
    return z.union([environment, file, command]) as unknown as z.ZodType<() => Promise<string>>;
  return z.unknown().transform((value, context) => {
    const reference = readReference(value);
    if (reference === undefined) {
      context.addIssue(custom(secretExpected, undefined, "wrong value"));
      return z.NEVER;
    }
    if (reference.kind === "command" && sources.commandsLater === true)
      return keepSecret(reference, sources, undefined);
    const text = resolveReference(reference, sources, context);
    if (text === undefined) return z.NEVER;
    if (text.includes("\0")) {
      context.addIssue(custom("a value without NUL characters", "one with a NUL", "wrong value"));
      return z.NEVER;
    }
    return keepSecret(reference, sources, text);
  });
}
