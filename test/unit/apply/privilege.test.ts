import { expect, test } from "vitest";
import { privilegeStatements, type Privilege } from "../../../src/apply/privilege.ts";

const on = (name: string, privilege: string, column?: string, grantable = false): Privilege => ({
  object: "TABLE",
  name,
  column,
  privilege,
  grantable,
});

test("nothing is said where all is as it should be, whatever the order", () => {
  const [a, b] = [on("t", "SELECT", "a"), on("t", "DELETE")];
  expect(privilegeStatements("r", [a, b], [b, a])).toEqual([]);
});

test("one statement for each object, columns together", () => {
  const wanted = [on("t", "SELECT", "a"), on("t", "SELECT", "B"), on("t", "DELETE"), on("u", "INSERT", "a")];
  expect(privilegeStatements("Odd role", [], wanted)).toEqual([
    'GRANT SELECT (a, "B"), DELETE ON TABLE t TO "Odd role"',
    'GRANT INSERT (a) ON TABLE u TO "Odd role"',
  ]);
});

// REVOKE on a table takes the privilege away from its columns too (documentation, REVOKE).
test("columns are granted again where the same privilege on the table is revoked", () => {
  const current = [on("t", "SELECT"), on("t", "SELECT", "a"), on("t", "UPDATE", "a")];
  const wanted = [on("t", "SELECT", "a"), on("t", "UPDATE", "a")];
  expect(privilegeStatements("r", current, wanted)).toEqual([
    "REVOKE SELECT ON TABLE t FROM r",
    "GRANT SELECT (a) ON TABLE t TO r",
  ]);
});

test("a privilege that may be granted on is not the one that is wanted", () => {
  expect(privilegeStatements("r", [on("t", "SELECT", undefined, true)], [on("t", "SELECT")])).toEqual([
    "REVOKE SELECT ON TABLE t FROM r",
    "GRANT SELECT ON TABLE t TO r",
  ]);
});
