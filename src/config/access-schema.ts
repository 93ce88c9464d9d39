import * as z from "zod";
import { duration } from "../document/duration.ts";
import { custom, mapping, text } from "../document/mapping.ts";
import { sourced } from "./sourced.ts";
import type { Sources } from "./sources.ts";

/** Distinct people for one request; more are a meeting. */
const mostApprovals = 5;

/** One entry of `access`. */
export function accessSchema(sources: Sources | undefined) {
  const condition = text("a CEL condition, in quotes where YAML would read something else", "lines");
  const approvals = z
    .int({ error: "a whole number" })
    .min(1, { error: "at least 1" })
    .max(mostApprovals, { error: `at most ${mostApprovals}` });
  const request = mapping({
    maxDuration: sourced(duration, sources).describe("The longest time for which the role may be asked for."),
    approvals: sourced(approvals, sources).prefault(1).describe("How many different people have to approve."),
    approvers: sourced(condition, sources).describe(
      "CEL over identity (theirs), connection, now and request (role, database, requester, duration): who satisfies it may approve and deny.",
    ),
    selfApproval: sourced(z.boolean({ error: "true or false" }), sources)
      .prefault(false)
      .describe("Whether whoever asks may approve, if the condition on approvers fits them."),
  });
  const breakGlass = mapping({
    maxDuration: sourced(duration, sources).describe("The longest time for which the role may be taken."),
  });
  return mapping({
    role: sourced(text("a role that has a role file"), sources).describe("The role that may be taken."),
    database: sourced(text("a database of this file"), sources).describe(
      "The database, as this file names it.",
    ),
    when: sourced(condition, sources).describe(
      'CEL over identity, connection and now: who satisfies it may take the role, or ask for it. "true": everybody.',
    ),
    request: request
      .optional()
      .describe("The role is not theirs, but may be asked for: others have to approve (requests.md)."),
    breakGlass: breakGlass
      .optional()
      .describe(
        "The role is not theirs, but in an emergency theirs at once: it needs a reason and raises an alert.",
      ),
  }).check((context) => {
    if (context.value.request === undefined || context.value.breakGlass === undefined) return;
    context.issues.push({
      ...custom("request or breakGlass; another entry for the other", "both", "two ways in one entry"),
      input: context.value,
    });
  });
}
