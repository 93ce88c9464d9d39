import type { ErrorCode, Problem } from "../errors.ts";

/** Refusals that another role would not have to meet with. */
const ofTheRole: ReadonlySet<ErrorCode> = new Set([
  "statement_not_allowed",
  "relation_not_allowed",
  "column_not_allowed",
  "function_not_allowed",
  "setting_not_allowed",
]);

const mostNamed = 3;

/**
 * A refusal that says behind its hint which other roles the identity may ask for, and how. Whether one of them would be
 * let do it is not looked at: that is theirs to know who approve.
 */
export function withAsking(problem: Problem, askable: ReadonlyMap<string, string> | undefined): Problem {
  if (askable === undefined || askable.size === 0 || !ofTheRole.has(problem.code)) return problem;
  const names = [...askable.keys()].slice(0, mostNamed).map((role) => `"${role}"`);
  const roles = names.length === 1 ? "The role" : "The roles";
  const [how] = askable.values();
  const asking = `${roles} ${names.join(", ")} may be asked for. ${how}`;
  return { ...problem, hint: problem.hint === undefined ? asking : `${problem.hint} ${asking}` };
}
