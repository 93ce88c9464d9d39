import { describe, expect, test } from "vitest";
import type { AccessEntry } from "../../../src/access/access-entry.ts";
import { chooseRole, rolesFor } from "../../../src/access/choose-role.ts";
import { compileCondition } from "../../../src/access/condition.ts";
import type { Identity } from "../../../src/identity/identity.ts";

const attributes = new Set(["groups", "level"]);

function entry(role: string, when: string, database = "shop"): AccessEntry {
  const compiled = compileCondition(when, attributes);
  if (compiled.kind === "refused") throw new Error(compiled.found);
  return { role, database, condition: compiled.condition, file: "rolegate.yaml", line: 1 };
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
    expect(rolesFor(alice, connection, 0, entries)).toEqual({ roles: ["reader", "writer"], failures: [] });
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
    expect(rolesFor(alice, connection, 0, [entry("admin", "identity.level > 1")])).toEqual({
      roles: [],
      failures: [],
    });
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
});
