import type { Condition } from "./condition.ts";

/** One entry of `access`: whoever satisfies the condition may take the role in the database. */
export type AccessEntry = {
  readonly role: string;
  readonly database: string;
  readonly condition: Condition;
  /** As the operator wrote it, relative to the configuration file; with `line`, what the record calls the rule. */
  readonly file: string;
  readonly line: number;
};
