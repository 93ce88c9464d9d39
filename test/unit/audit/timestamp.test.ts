import { expect, test } from "vitest";
import { isoClock, startOfDay, utcDay } from "../../../src/audit/timestamp.ts";

test("says the same as Date, within a second, across seconds, and when the clock is set back", () => {
  const iso = isoClock();
  const start = Date.UTC(2026, 0, 31, 23, 59, 59, 0);
  for (const offset of [0, 0, 1, 9, 10, 99, 100, 999, 1000, 1001, 61_000, 5, -3000, 86_400_000]) {
    expect(iso(start + offset)).toBe(new Date(start + offset).toISOString());
  }
});

test("a day begins at midnight in UTC", () => {
  const noon = Date.UTC(2026, 1, 28, 12);
  expect(startOfDay(noon)).toBe(Date.UTC(2026, 1, 28));
  expect(startOfDay(Date.UTC(2026, 1, 28))).toBe(Date.UTC(2026, 1, 28));
  expect(utcDay(noon)).toBe("2026-02-28");
});
