import { describe, expect, test } from "vitest";
import { saysTheSame } from "../../../src/rewrite/session/pinned-setting.ts";

describe("a value that says what is in force", () => {
  test.each([
    ["timezone", "UTC", "Etc/UTC"],
    ["timezone", " utc ", "UTC"],
    ["timezone", "Zulu", "UTC"],
    ["timezone", "GMT", "Etc/UTC"],
    ["timezone", "+00:00", "UTC"],
    ["timezone", "0", "UTC"],
    ["timezone", "europe/zurich", "Europe/Zurich"],
    ["datestyle", "ISO", "ISO, MDY"],
    ["datestyle", "iso , mdy", "ISO, MDY"],
    ["datestyle", "US", "ISO, MDY"],
    ["datestyle", "European, SQL", "SQL, DMY"],
    ["datestyle", "DMY", "German, DMY"],
    ["extra_float_digits", "3", "1"],
    ["extra_float_digits", "0", "0"],
    ["intervalstyle", "POSTGRES", "postgres"],
    ["search_path", '"$user",public', '"$user", public'],
    ["search_path", "analyst, PUBLIC", '"$user", public'],
    ["bytea_output", "HEX", "hex"],
  ])("%s %s: %s", (setting, value, inForce) => {
    expect(saysTheSame(setting, value, inForce, "analyst")).toBe(true);
  });

  test.each([
    ["timezone", "Europe/Zurich", "UTC"],
    ["timezone", "UTC+5", "UTC"],
    ["timezone", "+01:00", "UTC"],
    ["timezone", "0", "Europe/London"],
    ["datestyle", "DMY", "ISO, MDY"],
    ["datestyle", "German", "ISO, DMY"],
    ["datestyle", "ISO, nonsense", "ISO, MDY"],
    ["datestyle", "", "ISO, MDY"],
    ["extra_float_digits", "0", "1"],
    ["extra_float_digits", "-3", "0"],
    ["extra_float_digits", "three", "1"],
    ["search_path", "public", '"$user", public'],
    ["search_path", "a b", "a b"],
    ["search_path", "", "public"],
    ["bytea_output", "escape", "hex"],
  ])("%s %s is another than %s", (setting, value, inForce) => {
    expect(saysTheSame(setting, value, inForce, "analyst")).toBe(false);
  });
});
