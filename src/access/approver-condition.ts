import { Duration } from "@marcbachmann/cel-js/evaluator";
import type { Identity } from "../identity/identity.ts";
import { compileProgram, type AccessConnection, type Outcome, type Program } from "./condition.ts";
import { conditionEnvironment } from "./condition-environment.ts";
import { conditionScope } from "./condition-scope.ts";

/** A request as the condition on its approvers sees it. */
type AskedFor = {
  readonly role: string;
  readonly database: string;
  /** The name of whoever asks. */
  readonly requester: string;
  /** Milliseconds. */
  readonly duration: number;
};

/** A compiled CEL condition over somebody who wants to decide a request, and over the request. */
export type ApproverCondition = {
  readonly text: string;
  /** @param now milliseconds since the epoch. */
  readonly evaluate: (
    identity: Identity,
    connection: AccessConnection,
    now: number,
    request: AskedFor,
  ) => Outcome;
};

/** Compiles `approvers`: as a condition of `access`, over the approver, with `request` beside it. */
export function compileApprovers(
  text: string,
  attributes: ReadonlySet<string>,
):
  | { readonly kind: "condition"; readonly condition: ApproverCondition }
  | Extract<Program, { kind: "refused" }> {
  const environment = conditionEnvironment(attributes)
    .clone()
    .registerVariable({
      name: "request",
      schema: {
        role: "string",
        database: "string",
        requester: "string",
        duration: "google.protobuf.Duration",
      },
    });
  const program = compileProgram(text, attributes, environment, "identity, connection, now and request");
  if (program.kind === "refused") return program;
  const evaluate: ApproverCondition["evaluate"] = (identity, connection, now, asked) =>
    program.run(identity, () => ({
      ...conditionScope(identity, connection, now),
      request: { ...asked, duration: Duration.fromMilliseconds(asked.duration) },
    }));
  return { kind: "condition", condition: { text, evaluate } };
}
