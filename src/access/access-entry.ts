import type { ApproverCondition } from "./approver-condition.ts";
import type { Condition } from "./condition.ts";

/** One entry of `access`: whoever satisfies the condition may take the role in the database, or may ask for it. */
export type AccessEntry = {
  readonly role: string;
  readonly database: string;
  readonly condition: Condition;
  /** Undefined: the role is theirs. Else it is theirs only while a request for it is in force. */
  readonly onRequest?: OnRequest | undefined;
  /** As the operator wrote it, relative to the configuration file; with `line`, what the record calls the rule. */
  readonly file: string;
  readonly line: number;
};

/** How a role is had that has to be asked for; durations in milliseconds. */
export type OnRequest =
  | {
      readonly kind: "approval";
      readonly maxDuration: number;
      /** How many people have to approve. */
      readonly approvals: number;
      readonly approvers: ApproverCondition;
      /** Whether whoever asks may be one of them. */
      readonly selfApproval: boolean;
    }
  /** In force at once. */
  | { readonly kind: "break-glass"; readonly maxDuration: number };

/**
 * Everything that an entry says, as one text. A request is bound to it: who may decide and what was asked for stays what
 * it was, and whoever changes the entry takes back what was granted under the old one.
 */
export function ruleText({ role, database, condition, onRequest }: AccessEntry): string {
  const terms =
    onRequest?.kind === "approval" ? { ...onRequest, approvers: onRequest.approvers.text } : onRequest;
  return JSON.stringify({ role, database, when: condition.text, ...terms });
}
