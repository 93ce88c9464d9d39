import type { Problem } from "../errors.ts";
import type { Identity } from "../identity/identity.ts";
import type { AccessEntry, OnRequest } from "./access-entry.ts";
import type { AccessConnection } from "./condition.ts";

/** What somebody asks for. */
export type Ask = {
  readonly kind: OnRequest["kind"];
  readonly role: string;
  readonly database: string;
  /** Milliseconds. */
  readonly duration: number;
  readonly reason: string;
};

/** Somebody who is logged in. */
export type Someone = {
  readonly identity: Identity;
  /** Of theirs. */
  readonly connection: AccessConnection;
};

export type Asked =
  | { readonly kind: "entry"; readonly entry: AccessEntry; readonly onRequest: OnRequest }
  | { readonly kind: "refused"; readonly problem: Problem };

const longestReason = 500;

/**
 * The entry of `access` under which somebody may ask for that: the first that fits and allows the time.
 * @param now milliseconds since the epoch.
 */
export function judgeAsk(
  ask: Ask,
  { identity, connection }: Someone,
  now: number,
  entries: readonly AccessEntry[],
): Asked {
  const { kind, role, database, duration, reason } = ask;
  const there = { ...connection, database };
  const fitting = entries.flatMap((entry) =>
    entry.role === role &&
    entry.database === database &&
    entry.onRequest?.kind === kind &&
    entry.condition.evaluate(identity, there, now).kind === "fits"
      ? [{ kind: "entry" as const, entry, onRequest: entry.onRequest }]
      : [],
  );
  if (fitting.length === 0) return refused(notToBeAsked(ask, identity));
  const found = fitting.find(({ onRequest }) => duration <= onRequest.maxDuration);
  const reasonProblem = textProblem("reason", reason);
  if (reasonProblem !== undefined) return refused(reasonProblem);
  if (found !== undefined) return found;
  const longest = Math.max(...fitting.map(({ onRequest }) => onRequest.maxDuration));
  return refused({
    code: "request_invalid",
    message: `the role "${role}" cannot be had for that long`,
    hint: `At most ${shownDuration(longest)}.`,
  });
}

/** Says the same whether the role exists and is not for this identity, or does not exist. */
function notToBeAsked({ kind, role, database }: Ask, { name }: Identity): Problem {
  const how = kind === "break-glass" ? "break the glass for" : "ask for";
  return {
    code: "request_not_allowed",
    message: `"${name}" cannot ${how} the role "${role}" of the database "${database}"`,
    detail: "No entry of access with such a request fits this identity and connection.",
  };
}

/** Of these nothing is seen, though most of them are letters, marks or symbols: fillers, joiners, variations, the empty Braille cell. */
const unseen = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u;

/**
 * A text that others will read in a terminal, in a column: one line, nothing invisible, nothing that turns the writing around,
 * and no gaps with which it could pass for several columns, or for the next line where the terminal breaks it.
 */
export function textProblem(what: "reason" | "comment", text: string): Problem | undefined {
  if (!unseen.test(text) && !/\p{Z}{2}/u.test(text) && text.trim() !== "" && text.length <= longestReason)
    return undefined;
  return {
    code: "request_invalid",
    message: `the ${what} is not usable`,
    hint: `1 to ${longestReason} printable characters on one line, without gaps.`,
  };
}

const unitSizes: Readonly<Record<string, number>> = { s: 1000, m: 60_000, min: 60_000, h: 3_600_000 };

/** `30s`, `30m`, `30min`, `1h` in milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit = ""] = /^([1-9][0-9]{0,5})(s|m|min|h)$/.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * unitSizes[unit]!;
}

/** `90min`, `1h`: as a duration of rolegate.yaml. */
export function shownDuration(milliseconds: number): string {
  const units = [
    ["h", 3_600_000],
    ["min", 60_000],
    ["s", 1000],
  ] as const;
  for (const [unit, size] of units) if (milliseconds % size === 0) return `${milliseconds / size}${unit}`;
  return `${milliseconds}ms`;
}

function refused(problem: Problem): Asked {
  return { kind: "refused", problem };
}
