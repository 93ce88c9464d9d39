import { serialiseStatement } from "../../audit/recorder.ts";
import { sqlstate, type Problem } from "../../errors.ts";

/** A command as the record has it: a statement without role, relations and rules. */
export function serialiseCommand(kind: string, sql: string, problem: Problem | undefined): string {
  return serialiseStatement({
    role: "",
    sql,
    kind,
    relations: [],
    rules: [],
    verdict: problem === undefined ? "run" : "refuse",
    sent: undefined,
    refusal: problem && { sqlstate: sqlstate(problem), message: problem.message },
  });
}
