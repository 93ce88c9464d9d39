import type { SessionState } from "./state.ts";

const idle = {
  I: "idle",
  T: "idle in transaction",
  E: "idle in transaction (aborted)",
} as const;

/** What a session is at, in the words of pg_stat_activity. */
export type SessionActivity = "active" | (typeof idle)[keyof typeof idle];

export function activityOf({ expected, change, transaction }: SessionState): SessionActivity {
  return expected.length > 0 || change !== undefined ? "active" : idle[transaction];
}
