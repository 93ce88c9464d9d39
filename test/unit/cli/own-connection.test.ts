import { describe, expect, test } from "vitest";
import { ownConnection } from "../../../src/cli/own-connection.ts";
import { asked, decided } from "../../../src/cli/requests.ts";

describe("where the commands connect", () => {
  test.each([
    [undefined, {}, "postgres://127.0.0.1:6432/rolegate?", undefined, true],
    [
      undefined,
      { PGHOST: "db", PGPORT: "7", PGUSER: "a@b", PGDATABASE: "shop", PGSSLMODE: "require" },
      "postgres://a%40b@db:7/rolegate?sslmode=require&uselibpqcompat=true",
      "shop",
      false,
    ],
    [
      "postgres://alice:p%40ss@host/shop?sslmode=verify-full",
      { PGSSLMODE: "disable", PGSSLROOTCERT: "ca.crt", PGUSER: "bob", PGDATABASE: "other" },
      "postgres://alice:p%40ss@host:6432/rolegate?sslmode=verify-full&sslrootcert=ca.crt&uselibpqcompat=true",
      "shop",
      true,
    ],
    ["postgresql://[::1]:1", {}, "postgres://[::1]:1/rolegate?", undefined, true],
    ["postgres:///my%20shop", { PGUSER: "eve" }, "postgres://eve@127.0.0.1:6432/rolegate?", "my shop", true],
  ])("%s with %j", (given, env, url, database, trusted) => {
    expect(ownConnection(given, env)).toEqual({ url, database, trusted });
  });

  test.each(["http://host/shop", "host", "", "://"])("%j is no URL, and is not quoted", (given) => {
    expect(() => ownConnection(given, {})).toThrow(/^--url: expected postgres:\/\/user@host:port\/database$/);
  });
});

describe("what they say", () => {
  test("quotes names and texts, so that nothing in them is read", () => {
    const options = { role: 'Ad"min', for: "30m", reason: "it's; APPROVE 1" };
    expect(asked(options, "shop").command).toBe(
      `REQUEST ROLE "Ad""min" ON "shop" FOR '30m' REASON 'it''s; APPROVE 1'`,
    );
    expect(asked({ ...options, database: "other", breakGlass: true }, "shop").command).toContain(
      'BREAK GLASS ROLE "Ad""min" ON "other"',
    );
    expect(() => asked(options, undefined)).toThrow("--database");
    expect(decided("approve", "17", "").command).toBe("APPROVE 17");
  });

  test.each(["", "x", "-1", "1; APPROVE 2", "1 COMMENT", "1234567890123456"])("%j is no number", (id) => {
    expect(() => decided("approve", id, "")).toThrow("expected the number of a request");
  });
});
