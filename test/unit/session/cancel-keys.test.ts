import { expect, test } from "vitest";
import { CancelKeys } from "../../../src/session/cancel-keys.ts";

const from = (address: string, now = 0) => ({ address, now });

test("a session's process id is the server's, and another one where that is in use or unknown", () => {
  const keys = new CancelKeys();
  const cancelled: string[] = [];
  const first = keys.issue(4711, 4, () => cancelled.push("first"));
  const second = keys.issue(4711, 32, () => cancelled.push("second"));
  const third = keys.issue(undefined, 4, () => cancelled.push("third"));
  expect(first.processId).toBe(4711);
  expect(new Set([first, second, third].map(({ processId }) => processId)).size).toBe(3);
  for (const { processId, key } of [first, second, third])
    expect(keys.cancel(processId, key, from("192.0.2.1"))).toBe(true);
  expect(cancelled).toEqual(["first", "second", "third"]);
  expect(keys.cancel(first.processId, second.key, from("192.0.2.1"))).toBe(false);
  keys.revoke(first.processId);
  expect(keys.cancel(first.processId, first.key, from("192.0.2.1"))).toBe(false);
  expect(keys.issue(4711, 4, () => {}).processId).toBe(4711);
});

test("a network has 100 guesses a second, however many addresses it has, and others are still listened to", () => {
  const keys = new CancelKeys();
  const { processId, key } = keys.issue(1, 4, () => {});
  const wrong = Buffer.alloc(4, key[0]! ^ 1);
  for (let host = 0; host < 100; host++)
    expect(keys.cancel(processId, wrong, from(`192.0.2.${host}`))).toBe(false);
  expect(keys.cancel(processId, key, from("192.0.2.200"))).toBe(false);
  expect(keys.cancel(processId, key, from("192.0.3.200"))).toBe(true);
  expect(keys.cancel(processId, key, from("192.0.2.200", 1_000))).toBe(true);
  for (let host = 0; host < 100; host++)
    expect(keys.cancel(processId, wrong, from(`2001:db8::${host}`, 2_000))).toBe(false);
  expect(keys.cancel(processId, key, from("2001:db8::1:2:3:4", 2_000))).toBe(false);
  expect(keys.cancel(processId, key, from("2001:db8:0:1::1", 2_000))).toBe(true);
});
