import * as z from "zod";

/**
 * A mapping that refuses keys which it does not know. As everywhere in our schemas, an issue's message is
 * the `expected` of the problem.
 * @param what the expected text where there is no mapping: `a mapping with …` when left out.
 */
export function mapping<Shape extends z.core.$ZodShape>(
  shape: Shape,
  what?: string,
): z.ZodObject<Shape, z.core.$strict> {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys" ? known.join(", ") : (what ?? `a mapping with ${known.join(", ")}`),
  });
}

/**
 * Text that is not blank, without control characters (a NUL would end a C string on the server's side).
 * @param breaks `lines` allows line ends and tabs.
 */
export function text(expected: string, breaks: "one line" | "lines" = "one line"): z.ZodString {
  const form = breaks === "lines" ? /^[\P{Cc}\s]*[^\p{Cc}\s][\P{Cc}\s]*$/u : /^\P{Cc}*[^\p{Cc}\s]\P{Cc}*$/u;
  return z.string({ error: expected }).regex(form, { error: expected });
}

/** A problem that a transform or a check of ours found; `found` must not hold a secret. */
export function custom(expected: string, found: string | undefined, problem: string) {
  return { code: "custom", message: expected, params: { found, problem } } as const;
}

/** What a transform needs of its context. */
export type IssueSink = { addIssue: (issue: ReturnType<typeof custom>) => void };
