import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { AccessEntry } from "../../../src/access/access-entry.ts";
import { createLogger } from "../../../src/log.ts";
import { AccessNow } from "../../../src/session/access-now.ts";
import { reviewAccess } from "../../../src/session/access-review.ts";
import { LiveSessions, type LiveSession } from "../../../src/session/live-sessions.ts";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setImmediate", "Date"] }));
afterEach(() => vi.useRealTimers());

/** Reasons with which sessions were ended, by session. */
const ended = new Map<string, string>();
/** How often a timed condition was evaluated. */
let evaluations = 0;
let fits = true;

const entry = (role: string, timed: boolean, line: number): AccessEntry => ({
  role,
  database: "shop",
  file: "rolegate.yaml",
  line,
  condition: {
    text: "",
    timed,
    evaluate: () => {
      if (timed) evaluations++;
      return { kind: !timed || fits ? "fits" : "does not fit" };
    },
  },
});

const session = (id: string, role: string): LiveSession => ({
  id,
  identity: {
    name: "alice",
    method: "password",
    attributes: {},
    credential: { kind: "password" },
    signedInAt: 0,
    mfa: false,
    expiresAt: undefined,
  },
  connection: { address: "127.0.0.1", tls: false, database: "shop", applicationName: "" },
  client: "127.0.0.1:1",
  begun: 0,
  role,
  nextRole: undefined,
  endWhenIdle: () => {},
  endAfterStatement: (problem, _grace, reason) => void ended.set(id, `${problem.message} / ${reason}`),
});

function begin(entries: readonly AccessEntry[], all: readonly LiveSession[]): () => void {
  ended.clear();
  evaluations = 0;
  fits = true;
  const sessions = new LiveSessions();
  for (const one of all) sessions.add(one);
  return reviewAccess(sessions, new AccessNow(entries, createLogger("silent")));
}

test("those are asked whose role depends on the time alone, and ended when it does not fit any more", () => {
  const entries = [entry("brief", true, 3), entry("kept", true, 4), entry("kept", false, 5)];
  const end = begin(entries, [session("one", "brief"), session("two", "kept"), session("three", "gone")]);
  vi.advanceTimersByTime(1_000);
  expect(evaluations).toBe(1);
  // No entry gives that role, whatever the time.
  expect([...ended.keys()]).toEqual(["three"]);
  fits = false;
  vi.advanceTimersByTime(1_000);
  expect(ended.get("one")).toBe(
    '"alice" may not have the role "brief" any more / "alice" may not have the role "brief" any more: rolegate.yaml:3',
  );
  expect(ended.has("two")).toBe(false);
  end();
});

test("of thousands, a hundred are asked in one turn of the event loop", () => {
  const all = Array.from({ length: 5_000 }, (_, n) => session(String(n), "brief"));
  const end = begin([entry("brief", true, 3)], all);
  vi.advanceTimersToNextTimer();
  const each = [evaluations];
  while (evaluations < all.length) {
    const before = evaluations;
    vi.advanceTimersToNextTimer();
    each.push(evaluations - before);
  }
  expect(each).toEqual(Array.from({ length: 50 }, () => 100));
  expect(ended.size).toBe(0);
  end();
  vi.advanceTimersByTime(5_000);
  expect(evaluations).toBe(5_000);
});

test("without a condition over the time nothing is asked at all", () => {
  begin([entry("kept", false, 5)], [session("two", "kept")]);
  expect(vi.getTimerCount()).toBe(0);
});
