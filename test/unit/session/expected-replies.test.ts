import { expect, test } from "vitest";
import { Expect, ExpectedReplies } from "../../../src/session/expected-replies.ts";

test("replies come out in the order in which they were expected, however many are outstanding", () => {
  const expected = new ExpectedReplies();
  const waiting: number[] = [];
  let next = 0;
  for (let turn = 1; turn <= 300; turn++) {
    for (let count = 0; count < turn % 7; count++) {
      const slot = expected.push(Expect.execute);
      expect(expected.refusals[slot]).toBeUndefined();
      expected.numbers[slot] = next;
      expected.names[slot] = String(next);
      expected.limits[slot] = next;
      expected.refusals[slot] = Buffer.of(next & 0xff);
      waiting.push(next++);
    }
    for (let count = 0; count < turn % 5 && waiting.length > 0; count++) {
      const number = waiting.shift()!;
      const { head } = expected;
      expect(expected.headKind).toBe(Expect.execute);
      expect([expected.numbers[head], expected.names[head], expected.limits[head]]).toEqual([
        number,
        String(number),
        number,
      ]);
      expect(expected.refusals[head]![0]).toBe(number & 0xff);
      expected.pop();
    }
    expect(expected.length).toBe(waiting.length);
  }
  for (const [offset, number] of waiting.entries())
    expect(expected.numbers[expected.slotAt(offset)]).toBe(number);
});

test("nothing is expected of an idle server", () => {
  expect(new ExpectedReplies().headKind).toBe(0);
});
