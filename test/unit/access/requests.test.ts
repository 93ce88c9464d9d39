import { describe, expect, test } from "vitest";
import {
  decideWithin,
  entryOf,
  grants,
  isSamePerson,
  likeness,
  personOf,
  stateOf,
} from "../../../src/access/requests.ts";
import {
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
const one = entry("admin", '"engineers" in identity.groups', byApproval());
const two = entry("admin", '"engineers" in identity.groups', byApproval({ approvals: 2 }));
const glass = entry("admin", "true", breakGlass);

describe("the state of a request", () => {
  test("is pending until enough people have approved it, then in force for its time", () => {
    expect(stateOf(requestUnder(one, alice), minute)).toEqual({
      kind: "pending",
      approved: 0,
      until: decideWithin,
    });
    const approved = requestUnder(one, alice, [decided("approve", "bob", 10 * minute)]);
    expect(stateOf(approved, 11 * minute)).toEqual({
      kind: "in force",
      since: 10 * minute,
      until: 40 * minute,
    });
    expect(stateOf(approved, 40 * minute - 1).kind).toBe("in force");
    expect(stateOf(approved, 40 * minute)).toEqual({ kind: "expired", at: 40 * minute });
  });

  test("wants two people where the rule does: one who approves twice is one, in any spelling", () => {
    const bob = decided("approve", "bob", minute);
    expect(stateOf(requestUnder(two, alice, [bob]), 2 * minute)).toMatchObject({
      kind: "pending",
      approved: 1,
    });
    for (const name of ["bob", "Bob", "BOB", "ｂｏｂ"]) {
      const again = decided("approve", name, 2 * minute, "token https://id.example");
      expect(stateOf(requestUnder(two, alice, [bob, again]), 3 * minute).kind).toBe("pending");
    }
    const carol = decided("approve", "carol", 5 * minute);
    const late = decided("approve", "dave", 20 * minute);
    expect(stateOf(requestUnder(two, alice, [bob, carol, late]), 6 * minute)).toMatchObject({
      kind: "in force",
      since: 5 * minute,
    });
  });

  test("is over with the first denial or withdrawal, whatever was approved before or behind it", () => {
    const bob = decided("approve", "bob", minute);
    const deny = decided("deny", "carol", 2 * minute);
    const withdraw = decided("withdraw", "alice", 2 * minute);
    expect(stateOf(requestUnder(one, alice, [bob, deny]), 3 * minute).kind).toBe("denied");
    expect(stateOf(requestUnder(one, alice, [deny, bob]), 3 * minute).kind).toBe("denied");
    expect(stateOf(requestUnder(one, alice, [withdraw, bob]), 3 * minute).kind).toBe("withdrawn");
    expect(stateOf(requestUnder(glass, alice, [withdraw]), 3 * minute).kind).toBe("withdrawn");
  });

  test("lapses where nobody decides it, and an approval that came too late counts for nothing", () => {
    expect(stateOf(requestUnder(one, alice), decideWithin)).toEqual({ kind: "lapsed", at: decideWithin });
    const late = requestUnder(one, alice, [decided("approve", "bob", decideWithin)]);
    expect(stateOf(late, decideWithin).kind).toBe("lapsed");
    expect(stateOf(late, decideWithin + minute).kind).toBe("lapsed");
  });

  test("is in force at once behind broken glass", () => {
    expect(stateOf(requestUnder(glass, alice), 0)).toEqual({
      kind: "in force",
      since: 0,
      until: 15 * minute,
    });
    expect(stateOf(requestUnder(glass, alice), 15 * minute).kind).toBe("expired");
  });

  test("is never in force without an approval, whatever the row says of how many it needs", () => {
    for (const approvals of [0, -1])
      expect(stateOf({ ...requestUnder(one, alice), approvals }, minute).kind).toBe("pending");
  });
});

describe("a request in force", () => {
  const approved = requestUnder(one, alice, [decided("approve", "bob", 0)]);

  test("gives the role to whoever asked, and to nobody else of that name", () => {
    expect(grants(approved, one, alice, minute)).toBe(true);
    for (const other of [person("Alice"), person("bob"), byToken("alice", ["engineers"])])
      expect(grants(approved, one, other, minute)).toBe(false);
    const token = byToken("alice", []);
    expect(grants({ ...approved, requester: token }, one, token, minute)).toBe(true);
    const elsewhere = byToken("alice", [], "https://other.example");
    expect(grants({ ...approved, requester: token }, one, elsewhere, minute)).toBe(false);
  });

  test("gives nothing before, behind, or under another entry", () => {
    expect(grants(requestUnder(one, alice), one, alice, minute)).toBe(false);
    expect(grants(approved, one, alice, hour)).toBe(false);
    expect(grants(approved, entry("owner", '"engineers" in identity.groups', byApproval()), alice, 0)).toBe(
      false,
    );
    expect(grants(approved, { ...one, database: "billing" }, alice, 0)).toBe(false);
    expect(grants(approved, two, alice, 0)).toBe(false);
    expect(grants(approved, entry("admin", "true", byApproval()), alice, 0)).toBe(false);
    expect(grants(approved, glass, alice, 0)).toBe(false);
    expect(grants(approved, entry("admin", "true"), alice, 0)).toBe(false);
  });

  test("goes with its entry: where that says something else, or less time, nothing is left of it", () => {
    expect(entryOf(approved, [glass, one])).toBe(one);
    expect(
      entryOf(approved, [
        entry("admin", '"engineers" in identity.groups', byApproval({ selfApproval: true })),
      ]),
    ).toBe(undefined);
    expect(entryOf({ ...approved, duration: 2 * hour }, [one])).toBe(undefined);
  });
});

test("a person is a name and who vouches for it", () => {
  expect(personOf(alice)).toEqual({ name: "alice", origin: "password" });
  expect(personOf(byToken("alice", []))).toEqual({ name: "alice", origin: "token https://id.example" });
  expect(isSamePerson(personOf(alice), personOf(byToken("alice", [])))).toBe(false);
  expect(likeness("Ａｌｉｃｅ")).toBe("alice");
  expect(likeness("alice")).not.toBe(likeness("alicia"));
});
