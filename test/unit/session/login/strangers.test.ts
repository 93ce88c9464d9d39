import { expect, test } from "vitest";
import { Strangers } from "../../../../src/session/login/strangers.ts";

const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => ({ name })) as [object, object, object, object];

test("the oldest beyond a number is known, of all and of a network", () => {
  const strangers = new Strangers<object>();
  for (const one of [a, b, c, d]) strangers.add(one);
  for (const one of [b, d, c]) strangers.locate(one, "one");
  expect(strangers.beyond(4)).toBeUndefined();
  expect(strangers.beyond(3)).toBe(a);
  expect(strangers.beyondOf("one", 3)).toBeUndefined();
  expect(strangers.beyondOf("one", 2)).toBe(b);
  expect(strangers.beyondOf("two", 0)).toBeUndefined();
  expect(strangers.delete(b)).toBe(true);
  expect(strangers.delete(b)).toBe(false);
  expect(strangers.beyondOf("one", 1)).toBe(d);
  expect(strangers.beyond(2)).toBe(a);
});

test("who has gone is not counted with a network that is known only then", () => {
  const strangers = new Strangers<object>();
  strangers.add(a);
  strangers.delete(a);
  strangers.locate(a, "one");
  expect(strangers.beyondOf("one", 0)).toBeUndefined();
});
