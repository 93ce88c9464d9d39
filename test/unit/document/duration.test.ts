import { expect, test } from "vitest";
import { duration } from "../../../src/document/duration.ts";

test.each([
  ["500ms", 500],
  ["30s", 30_000],
  ["5min", 300_000],
  ["1h", 3_600_000],
  ["2147483647ms", 2_147_483_647],
])("%s is %i ms", (text, milliseconds) => {
  expect(duration.parse(text)).toBe(milliseconds);
});

test.each(["0s", "30", 30, "-1s", "1.5s", "30 s", "1d", "5m", "", "2147483648ms", "9999999999h", " 1s"])(
  "%j is none",
  (text) => {
    expect(duration.safeParse(text).success).toBe(false);
  },
);
