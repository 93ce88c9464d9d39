import { describe, expect, test } from "vitest";
import { requestedSettings } from "../../../../src/session/login/startup-settings.ts";

const requested = (parameters: Record<string, string>) =>
  Object.fromEntries(requestedSettings(new Map(Object.entries({ user: "alice", ...parameters }))));

test("parameters win over options, the last option wins, names fold to lower case", () => {
  const options = "-c TimeZone=UTC --search-path=a -c search_path=b";
  expect(requested({ options, TIMEZONE: "Asia/Tokyo", DateStyle: "ISO", database: "shop" })).toEqual({
    timezone: "Asia/Tokyo",
    search_path: "b",
    datestyle: "ISO",
  });
});

describe("refused, whoever asks:", () => {
  test.for([
    [{ replication: "database" }, "unsupported_protocol"],
    [{ replication: "true" }, "unsupported_protocol"],
    [{ options: "-c replication=1" }, "unsupported_protocol"],
    [{ role: "admin" }, "role_not_allowed"],
    [{ Role: "admin" }, "role_not_allowed"],
    [{ options: "-c session_authorization=admin" }, "role_not_allowed"],
    [{ options: "--session-authorization=admin" }, "role_not_allowed"],
    [{ options: "-f bm" }, "protocol_violation"],
  ] as const)("%j", ([parameters, code]) => {
    expect(() => requested(parameters)).toThrow(
      expect.objectContaining({ problem: expect.objectContaining({ code }) as object }) as Error,
    );
  });
});

test("replication that is switched off is none", () => {
  expect(requested({ replication: "false" })).toEqual({});
});
