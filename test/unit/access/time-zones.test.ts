import { afterEach, describe, expect, test } from "vitest";
import { compileCondition } from "../../../src/access/condition.ts";
import type { Identity } from "../../../src/identity/identity.ts";

const nobody: Identity = {
  name: "nobody",
  method: "password",
  attributes: {},
  credential: { kind: "password" },
  signedInAt: 0,
  mfa: false,
  expiresAt: undefined,
};
const connection = { address: "127.0.0.1", tls: false, database: "shop", applicationName: "" };

function holds(text: string, time: string): boolean {
  const compiled = compileCondition(text, new Set());
  if (compiled.kind === "refused") throw new Error(compiled.found);
  return compiled.condition.evaluate(nobody, connection, Date.parse(time)).kind === "fits";
}

const own = process.env["TZ"];
afterEach(() => {
  if (own === undefined) delete process.env["TZ"];
  else process.env["TZ"] = own;
});

/** The zones in which rolegate itself may run; what a condition says must not depend on it. */
describe.each(["UTC", "America/New_York", "Europe/Berlin", "Asia/Tokyo"])("in a process of %s", (zone) => {
  test.each([
    // Berlin leaves out 02:00 to 03:00 on 29 March, and has it twice on 25 October.
    ["2026-03-29T00:59:59Z", 'now.getHours("Europe/Berlin") == 1 && now.getMinutes("Europe/Berlin") == 59'],
    ["2026-03-29T01:00:00Z", 'now.getHours("Europe/Berlin") == 3 && now.getMinutes("Europe/Berlin") == 0'],
    ["2026-10-25T00:30:00Z", 'now.getHours("Europe/Berlin") == 2'],
    ["2026-10-25T01:30:00Z", 'now.getHours("Europe/Berlin") == 2'],
    ["2026-10-25T02:30:00Z", 'now.getHours("Europe/Berlin") == 3'],
    // New York leaves out 02:00 to 03:00 on 8 March: a process there must still know these hours elsewhere.
    ["2026-03-08T01:30:00Z", 'now.getHours("Europe/Berlin") == 2'],
    ["2026-03-08T02:30:00Z", 'now.getHours("Europe/London") == 2 && now.getHours() == 2'],
    ["2026-03-08T06:59:59Z", 'now.getHours("America/New_York") == 1'],
    ["2026-03-08T07:00:00Z", 'now.getHours("America/New_York") == 3'],
    // The day of the week and of the month turn with the zone, the year too.
    ["2026-01-31T23:30:00Z", 'now.getDayOfWeek("Europe/Berlin") == 0 && now.getDate("Europe/Berlin") == 1'],
    ["2026-01-31T23:30:00Z", 'now.getDayOfWeek("America/New_York") == 6 && now.getDayOfMonth("UTC") == 30'],
    [
      "2026-12-31T23:30:00Z",
      'now.getFullYear("Europe/Berlin") == 2027 && now.getMonth("Europe/Berlin") == 0',
    ],
    ["2026-07-01T00:30:00Z", 'now.getDayOfYear() == 181 && now.getDayOfYear("UTC") == 181'],
    ["2026-07-01T22:30:00Z", 'now.getDayOfYear("Europe/Berlin") == 182 && now.getDayOfYear() == 181'],
    [
      "2026-07-01T12:00:00.250Z",
      'now.getSeconds("Asia/Kathmandu") == 0 && now.getMilliseconds("UTC") == 250',
    ],
    [
      "2026-07-01T12:00:00Z",
      'now.getHours("Asia/Kathmandu") == 17 && now.getMinutes("Asia/Kathmandu") == 45',
    ],
    // Midnight is 0, and offsets need no name.
    ["2026-07-01T22:00:00Z", 'now.getHours("Europe/Berlin") == 0 && now.getHours("+02:00") == 0'],
    ["2026-07-01T22:00:00Z", 'now.getHours("02:00") == 0 && now.getHours("-03:30") == 18'],
    ["2026-07-01T22:00:00Z", '(now + duration("2h")).getDate("UTC") == 2'],
    ["2026-07-01T22:00:00Z", 'now == timestamp("2026-07-02T00:00:00+02:00") && now == timestamp(1782943200)'],
  ])("at %s: %s", (time, text) => {
    process.env["TZ"] = zone;
    expect(Intl.DateTimeFormat().resolvedOptions().timeZone).toBe(zone);
    expect(holds(text, time)).toBe(true);
  });
});
