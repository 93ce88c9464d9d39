import type { AccessEntry } from "../src/access/access-entry.ts";
import { compileCondition } from "../src/access/condition.ts";
import type { Identity } from "../src/identity/identity.ts";
import { createLogger } from "../src/log.ts";
import { AccessNow } from "../src/session/access-now.ts";
import { LiveSessions, type LiveSession } from "../src/session/live-sessions.ts";
import { cost } from "./micro-clock.ts";
import type { Cost } from "./micro.ts";

const count = 100;

/** What it costs, each second, to ask of one session whether it may keep its role. */
export function accessCosts(): Cost[] {
  return [
    review("of two conditions, no time", '"a" in identity.groups', "true"),
    review("the age of the sign-in", '"oncall" in identity.groups && identity.age < duration("8h")'),
    review(
      "the hour in Berlin",
      'now.getDayOfWeek("Europe/Berlin") < 7 && now.getHours("Europe/Berlin") < 25',
    ),
  ];
}

function review(what: string, ...conditions: readonly string[]): Cost {
  const access = new AccessNow(conditions.map(entry), createLogger("silent"));
  const sessions = new LiveSessions();
  sessions.require(access.standing);
  const begun = Date.now();
  for (let n = 0; n < count; n++) sessions.add(session(begun));
  let now = begun;
  // As with the seconds: no two reviews fall into one moment.
  return cost(`review of a session, ${what}`, () => sessions.review((now += 1)), count);
}

function entry(when: string): AccessEntry {
  const compiled = compileCondition(when, new Set(["groups"]));
  if (compiled.kind === "refused") throw new Error(compiled.found);
  return { role: "analyst", database: "shop", condition: compiled.condition, file: "rolegate.yaml", line: 1 };
}

function session(begun: number): LiveSession {
  const identity: Identity = {
    name: "alice@example.com",
    method: "jwt",
    attributes: { groups: ["analysts", "oncall"], tenant: 1 },
    credential: { kind: "password" },
    signedInAt: begun,
    mfa: true,
    expiresAt: undefined,
  };
  return {
    id: "bench",
    identity,
    connection: { address: "10.1.2.3", tls: true, database: "shop", applicationName: "psql" },
    client: "10.1.2.3:50000",
    begun,
    role: "analyst",
    nextRole: undefined,
    endWhenIdle: nothing,
    endAfterStatement: failed,
  };
}

function nothing(): void {}

function failed(): void {
  throw new Error("a session would have ended");
}
