import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { connectionSettings, printed } from "../../../src/client/connection-settings.ts";
import type { Place } from "../../../src/client/context.ts";

const place: Place = { host: "db.example.com", port: 6432, database: "my shop", sslmode: "verify-full" };
const user = "o'hara&$(id)@example.com";
const settings = connectionSettings({ ...place, sslrootcert: "/etc/my ca.crt" }, user, "e.y-J_");

describe("the settings of a connection", () => {
  test("as variables mean the same to a shell", () => {
    const said = execFileSync("sh", [
      "-c",
      `${printed.env(settings)}\nprintf '%s|' "$PGUSER" "$PGDATABASE" "$PGSSLROOTCERT" "$PGPASSWORD"`,
    ]);
    expect(said.toString()).toBe(`${user}|my shop|/etc/my ca.crt|e.y-J_|`);
  });

  test("as a URI hold every part", () => {
    const uri = new URL(printed.uri(settings));
    expect([
      uri.host,
      decodeURIComponent(uri.pathname),
      decodeURIComponent(uri.username),
      uri.password,
    ]).toEqual(["db.example.com:6432", "/my shop", user, "e.y-J_"]);
    expect(Object.fromEntries(uri.searchParams)).toEqual({
      sslmode: "verify-full",
      sslrootcert: "/etc/my ca.crt",
    });
  });

  test("as JDBC has it", () => {
    expect(printed.jdbc(connectionSettings({ ...place, host: "::1" }, "sam@example.com", "a&b"))).toBe(
      "jdbc:postgresql://[::1]:6432/my%20shop?user=sam%40example.com&password=a%26b&sslmode=verify-full",
    );
  });

  test.each(["require", "disable"] as const)(
    "do not take the token to an unverified server (%s)",
    (sslmode) => {
      expect(() => connectionSettings({ ...place, sslmode }, "sam", "x")).toThrow(
        "expected verify-full or verify-ca",
      );
      for (const host of ["localhost", "127.0.0.1", "::1"])
        expect(connectionSettings({ ...place, sslmode, host }, "sam", "x").PGSSLMODE).toBe(sslmode);
      // Names that only look like this machine's.
      for (const host of ["localhost.example.com", "127.0.0.1.example.com", "2130706433", ""])
        expect(() => connectionSettings({ ...place, sslmode, host }, "sam", "x")).toThrow("verify-full");
    },
  );
});
