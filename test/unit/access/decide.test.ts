import { array, assert, constantFrom, integer, property, record } from "fast-check";
import { describe, expect, test } from "vitest";
import { judgeAsk, shownDuration, type Ask } from "../../../src/access/ask.ts";
import { decisionProblem } from "../../../src/access/decide.ts";
import { decideWithin, stateOf, type Decision } from "../../../src/access/requests.ts";
import {
  at,
  breakGlass,
  byApproval,
  byToken,
  decided,
  entry,
  hour,
  minute,
  person,
  requestUnder,
} from "./asked.ts";

const alice = person("alice", ["engineers"]);
const bob = person("bob", ["leads"]);
const carol = person("carol", ["leads"]);
const mallory = person("mallory", ["engineers"]);
const one = entry("admin", '"engineers" in identity.groups', byApproval());
const two = entry("admin", '"engineers" in identity.groups', byApproval({ approvals: 2 }));
const glass = entry("admin", '"oncall" in identity.groups', breakGlass);

describe("asking", () => {
  const ask: Ask = {
    kind: "approval",
    role: "admin",
    database: "shop",
    duration: 30 * minute,
    reason: "fix it",
  };
  const code = (more: Partial<Ask>, who = alice) => {
    const asked = judgeAsk({ ...ask, ...more }, at(who), 0, [entry("reader", "true"), one, glass]);
    return asked.kind === "refused" ? asked.problem.code : asked.entry;
  };

  test("is for whoever satisfies `when`", () => {
    expect(code({})).toBe(one);
    expect(code({}, bob)).toBe("request_not_allowed");
    expect(code({ kind: "break-glass", duration: minute }, person("otto", ["oncall"]))).toBe(glass);
    expect(code({ kind: "break-glass" })).toBe("request_not_allowed");
    expect(code({ role: "reader" })).toBe("request_not_allowed");
    expect(code({ database: "billing" })).toBe("request_not_allowed");
  });

  test("says the same of a role that is not there and of one that is for others", () => {
    const [there, nowhere] = ["admin", "nowhere"].map((role) => {
      const asked = judgeAsk({ ...ask, role }, at(bob), 0, [one]);
      return asked.kind === "refused" && asked.problem.message.replace(role, "…");
    });
    expect(there).toBe(nowhere);
  });

  test("is bounded in time, and wants a reason that can be shown", () => {
    expect(code({ duration: hour })).toBe(one);
    expect(code({ duration: hour + 1 })).toBe("request_invalid");
    for (const reason of [
      // Nothing of it is seen.
      "\u3164",
      "\u2800\u2800",
      "why\ufe0f",
      // Seen as further columns, or as a row of its own where the terminal breaks the line.
      `fine  pending  0 of 1${" ".repeat(80)}7  alice  reader`,
      "a \u3000b",
      "",
      " ",
      "a\nb",
      "\u{1b}[2J",
      "\u{202e}abc",
      "\0",
      "x".repeat(501),
      "\u{2028}",
      "\u{d800}",
    ])
      expect(code({ reason })).toBe("request_invalid");
    expect(code({ reason: "'; drop table requests; --" })).toBe(one);
  });

  test("a condition that fails counts as no", () => {
    const broken = entry("admin", "identity.level > 3", byApproval());
    expect(judgeAsk(ask, at(alice), 0, [broken])).toMatchObject({ kind: "refused" });
  });

  test("`when` sees the database that is asked for", () => {
    const there = entry("admin", 'connection.database == "shop"', byApproval());
    expect(judgeAsk(ask, at(alice), 0, [there])).toMatchObject({ kind: "entry" });
  });
});

describe("deciding", () => {
  const pending = requestUnder(one, alice);
  const problem = (
    kind: Decision["kind"],
    who = bob,
    request = pending,
    now = minute,
    entries = [one, two, glass],
  ) => decisionProblem(kind, request, at(who), now, entries)?.code;

  test("is for those whom the condition on approvers fits", () => {
    expect(problem("approve")).toBe(undefined);
    expect(problem("deny")).toBe(undefined);
    for (const kind of ["approve", "deny", "withdraw"] as const)
      expect(problem(kind, mallory)).toBe("request_unknown");
    expect(problem("withdraw", bob)).toBe("request_unknown");
    expect(problem("withdraw", alice)).toBe(undefined);
    expect(problem("withdraw", byToken("alice", ["engineers"]))).toBe("request_unknown");
  });

  test("nobody approves a request of their own, in any spelling and from any source, unless the rule says so", () => {
    expect(problem("approve", alice)).toBe("request_not_allowed");
    for (const name of ["alice", "Alice", "ALICE", "ａlice"]) {
      expect(problem("approve", byToken(name, ["leads"]))).toBe("request_not_allowed");
      expect(problem("approve", person(name, ["leads"]))).toBe("request_not_allowed");
    }
    const allowed = entry("admin", "true", byApproval({ selfApproval: true }));
    const own = requestUnder(allowed, alice);
    expect(problem("approve", person("alice", ["leads"]), own, minute, [allowed])).toBe(undefined);
    expect(problem("approve", alice, own, minute, [allowed])).toBe("request_not_allowed");
  });

  test("nobody approves twice", () => {
    const request = requestUnder(two, alice, [decided("approve", "bob", 0)]);
    expect(problem("approve", bob, request)).toBe("request_not_allowed");
    expect(problem("approve", byToken("Bob", ["leads"]), request)).toBe("request_not_allowed");
    expect(problem("approve", carol, request)).toBe(undefined);
  });

  test("a request that is over stays over", () => {
    const over = [
      requestUnder(one, alice, [decided("deny", "carol", 0)]),
      requestUnder(one, alice, [decided("withdraw", "alice", 0)]),
    ];
    for (const request of over)
      for (const [kind, who] of [
        ["approve", bob],
        ["deny", bob],
        ["withdraw", alice],
      ] as const)
        expect(problem(kind, who, request)).toBe("request_settled");
    expect(problem("approve", bob, pending, decideWithin)).toBe("request_settled");
    const approved = requestUnder(one, alice, [decided("approve", "carol", 0)]);
    expect(problem("approve", bob, approved)).toBe("request_settled");
    expect(problem("deny", bob, approved, hour)).toBe("request_settled");
  });

  test("what is in force can be denied and withdrawn", () => {
    const approved = requestUnder(one, alice, [decided("approve", "carol", 0)]);
    expect(problem("deny", bob, approved)).toBe(undefined);
    expect(problem("withdraw", alice, approved)).toBe(undefined);
    expect(problem("withdraw", person("otto"), requestUnder(glass, person("otto")))).toBe(undefined);
    expect(problem("deny", bob, requestUnder(glass, person("otto")))).toBe("request_unknown");
  });

  test("`when` of whoever asked has to hold still", () => {
    const late = entry("admin", 'now < timestamp("1970-01-01T00:05:00Z")', byApproval());
    const request = requestUnder(late, alice);
    expect(problem("approve", bob, request, minute, [late])).toBe(undefined);
    expect(problem("approve", bob, request, 6 * minute, [late])).toBe("request_not_allowed");
  });

  test("an entry that says something else now leaves nothing to decide", () => {
    const wider = entry("admin", '"engineers" in identity.groups', byApproval({ approvers: "true" }));
    expect(problem("approve", bob, pending, minute, [wider])).toBe("request_unknown");
    expect(problem("approve", bob, { ...pending, duration: 2 * hour })).toBe("request_unknown");
  });

  test.each([
    ['request.role == "admin" && request.database == "shop"', true],
    ['request.requester == "alice" && identity.name == "bob"', true],
    ['request.duration <= duration("30m")', true],
    ['request.duration < duration("30m")', false],
    ["identity.level > 3", false],
    ["1 / 0 == 1", false],
  ])("the condition sees the request, and one that fails counts as no: %s", (approvers, fits) => {
    const under = entry("admin", "true", byApproval({ approvers }));
    expect(problem("approve", bob, requestUnder(under, alice), minute, [under]) === undefined).toBe(fits);
  });
});

test("no run of decisions that are let through puts a request in force without the people that it needs", () => {
  const people = [alice, byToken("Alice", ["leads"]), bob, byToken("BOB", ["leads"]), carol, mallory];
  const step = record({
    kind: constantFrom("approve", "approve", "deny", "withdraw"),
    who: integer({ min: 0, max: people.length - 1 }),
    wait: constantFrom(0, 1, minute, 20 * minute, 13 * hour),
  });
  assert(
    property(array(step, { maxLength: 12 }), constantFrom(one, two), (steps, under) => {
      let now = 0;
      let request = requestUnder(under, alice);
      let ended = false;
      for (const { kind, who, wait } of steps) {
        now += wait;
        const someone = people[who]!;
        const before = stateOf(request, now).kind;
        if (decisionProblem(kind, request, at(someone), now, [under]) !== undefined) continue;
        expect(ended).toBe(false);
        expect(["pending", "in force"]).toContain(before);
        const origin = someone.credential.kind === "password" ? "password" : "token https://id.example";
        request = { ...request, decisions: [...request.decisions, decided(kind, someone.name, now, origin)] };
        ended ||= kind !== "approve";
        const names = new Set(
          request.decisions.filter((each) => each.kind === "approve").map(({ by }) => by.name.toLowerCase()),
        );
        expect(names.has("alice")).toBe(false);
        if (stateOf(request, now).kind === "in force") {
          expect(ended).toBe(false);
          expect(names.size).toBeGreaterThanOrEqual(request.approvals);
        }
      }
    }),
  );
});

test.each([
  [hour, "1h"],
  [90 * minute, "90min"],
  [1500, "1500ms"],
  [30_000, "30s"],
])("%d ms are shown as %s", (milliseconds, shown) => {
  expect(shownDuration(milliseconds)).toBe(shown);
});
