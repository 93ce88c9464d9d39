import { describe, expect, test } from "vitest";
import type { AccessEntry, OnRequest } from "../../../src/access/access-entry.ts";
import { chooseRole, howToAsk, rolesFor } from "../../../src/access/choose-role.ts";
import { compileCondition } from "../../../src/access/condition.ts";
import type { Identity } from "../../../src/identity/identity.ts";
import { requestUnder } from "./asked.ts";

const attributes = new Set(["groups", "level"]);

function entry(role: string, when: string, where: string | OnRequest = "shop"): AccessEntry {
  const compiled = compileCondition(when, attributes);
  if (compiled.kind === "refused") throw new Error(compiled.found);
  const [database, onRequest] = typeof where === "string" ? [where] : ["shop", where];
  return { role, database, condition: compiled.condition, onRequest, file: "rolegate.yaml", line: 1 };
}

const alice: Identity = {
  name: "alice",
  method: "password",
  attributes: { groups: ["a"] },
  credential: { kind: "password" },
  signedInAt: 0,
  mfa: false,
  expiresAt: undefined,
};
const connection = { address: "127.0.0.1", tls: false, database: "shop", applicationName: "" };

describe("rolesFor", () => {
  test("gives the fitting roles of the connection's database in the file's order, each once", () => {
    const entries = [
      entry("second", '"b" in identity.groups'),
      entry("reader", "true"),
      entry("writer", '"a" in identity.groups'),
      entry("reader", '"a" in identity.groups'),
      entry("elsewhere", "true", "billing"),
    ];
    expect(rolesFor(alice, connection, 0, entries)).toEqual({
      roles: ["reader", "writer"],
      held: new Map(),
      askable: [],
      failures: [],
    });
    expect(rolesFor(alice, { ...connection, database: "billing" }, 0, entries).roles).toEqual(["elsewhere"]);
    expect(rolesFor(alice, { ...connection, database: "nowhere" }, 0, entries).roles).toEqual([]);
  });

  test("an entry that cannot be evaluated grants nothing, is named, and leaves the others as they are", () => {
    const broken = entry("admin", "1 / 0 == 1");
    const { roles, failures } = rolesFor(alice, connection, 0, [broken, entry("reader", "true")]);
    expect(roles).toEqual(["reader"]);
    expect(failures).toEqual([{ entry: broken, reason: "division by zero" }]);
  });

  test("an entry that asks for an attribute which the identity lacks just does not fit", () => {
    expect(rolesFor(alice, connection, 0, [entry("admin", "identity.level > 1")])).toMatchObject({
      roles: [],
      held: new Map(),
      askable: [],
      failures: [],
    });
  });
});

describe("an entry with a request", () => {
  const admin = entry("admin", "true", { kind: "break-glass", maxDuration: 1000 });
  const entries = [admin, entry("reader", "true")];
  const request = requestUnder(admin, alice);

  test("gives its role only while a request is in force, and behind the roles that are always there", () => {
    expect(rolesFor(alice, connection, 0, entries)).toMatchObject({ roles: ["reader"], askable: ["admin"] });
    const granted = rolesFor(alice, connection, 0, entries, (of) => (of === admin ? request : undefined));
    expect(granted).toMatchObject({ roles: ["reader", "admin"], askable: [] });
    expect(granted.held).toEqual(new Map([["admin", request]]));
  });

  test("whose condition does not fit gives nothing, whatever was granted", () => {
    const elsewhere = entry("admin", "connection.tls", { kind: "break-glass", maxDuration: 1000 });
    const { roles, askable, held } = rolesFor(alice, connection, 0, [elsewhere], () => request);
    expect({ roles, askable, held }).toEqual({ roles: [], askable: [], held: new Map() });
  });

  test("does not matter beside one that gives the role anyway", () => {
    const both = [...entries, entry("admin", "true")];
    for (const grantOf of [() => undefined, () => request]) {
      const { roles, askable, held } = rolesFor(alice, connection, 0, both, grantOf);
      expect({ roles, askable, held }).toEqual({ roles: ["reader", "admin"], askable: [], held: new Map() });
    }
  });
});

describe("chooseRole", () => {
  test.each([
    ["alice", ["reader", "writer"], "reader"],
    ["writer", ["reader", "writer"], "writer"],
    ["alice", ["reader", "alice"], "reader"],
  ])("user %s of roles %j takes %s", (user, roles, role) => {
    expect(chooseRole(user, alice, roles)).toEqual({ kind: "role", role });
  });

  test.each([
    ["admin", ["reader"]],
    ["Alice", ["reader"]],
    ["bob", ["reader"]],
    ["", ["reader"]],
    ["alice", []],
    ["reader", []],
    ["constructor", ["reader"]],
  ])("user %j of roles %j is refused", (user, roles) => {
    expect(chooseRole(user, alice, roles)).toMatchObject({ kind: "refused", problem: { code: "no_role" } });
  });

  test("a refusal names what would be allowed", () => {
    expect(chooseRole("admin", alice, ["reader", "writer"])).toMatchObject({
      problem: {
        message: '"alice" may not take the role "admin"',
        hint: 'Connect as "alice", or as one of: reader, writer.',
      },
    });
  });

  test("a refusal says how to ask for a role that may be asked for, and never names another", () => {
    const ask = "Ask for it: rolegate request --role admin --database 'my shop' --reason …";
    for (const [user, roles, askable, hint] of [
      ["admin", ["reader"], ["admin"], ask],
      ["admin", [], ["admin"], ask],
      ["alice", [], ["admin", "owner"], ask],
      ["owner", ["reader"], ["admin"], 'Connect as "alice", or as one of: reader.'],
      ["admin", ["reader"], [], 'Connect as "alice", or as one of: reader.'],
      ["alice", [], [], undefined],
    ] as const) {
      const ways = new Map(askable.map((role) => [role, howToAsk(role, "my shop")]));
      const chosen = chooseRole(user, alice, roles, ways);
      expect(chosen.kind === "refused" && chosen.problem.hint).toBe(hint);
    }
  });
});
