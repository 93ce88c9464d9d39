import { beforeEach, describe, expect, test } from "vitest";
import type { Runnable } from "../../../src/session/judged.ts";
import { mostHeld, mostNames, Names } from "../../../src/session/names.ts";

const [one, two] = [{}, {}] as [Runnable, Runnable];

let names: Names;
beforeEach(() => (names = new Names()));

describe("a named statement", () => {
  test("is unsettled from the next group on until its group has its outcome", () => {
    names.set("a", one, 3);
    expect(names.isUnsettled("a", 2, 3)).toBe(false);
    expect(names.isUnsettled("a", 2, 4)).toBe(true);
    expect(names.isUnsettled("a", 3, 4)).toBe(false);
    names.close("a", 4);
    expect(names.get("a")).toBeUndefined();
    expect(names.isUnsettled("a", 3, 5)).toBe(true);
    names.settle(4);
    expect(names.isUnsettled("a", 4, 5)).toBe(false);
  });

  test("stands for what it stood for when what happened to it did not happen", () => {
    names.set("a", one, 1);
    const before = names.before("a");
    const change = names.close("a", 2);
    names.undo("a", before, change);
    expect(names.get("a")).toBe(one);
    const known = names.before("b");
    names.undo("b", known, names.set("b", two, 2));
    expect(names.get("b")).toBeUndefined();
  });
});

test("closing what is not there makes the next group wait too: undone, it would take a later name away", () => {
  names.close("a", 1);
  expect(names.isUnsettled("a", 0, 2)).toBe(true);
  names.settle(1);
  expect(names.isUnsettled("a", 1, 2)).toBe(false);
});

test("names are bounded", () => {
  for (let n = 0; n < mostNames; n++) names.set(`n${n}`, one, 1);
  expect(() => names.set("one more", one, 1)).toThrow("more than");
});

describe("the unnamed statement", () => {
  test("is gone when its Parse failed or was skipped, unless a later one took its place", () => {
    const first = names.set("", one, 1);
    names.undo("", undefined, first);
    expect(names.get("")).toBeUndefined();
    const second = names.set("", one, 2);
    names.set("", two, 3);
    names.undo("", undefined, second);
    expect(names.get("")).toBe(two);
  });
});

test("portals of an ended transaction are forgotten, those of later groups are not", () => {
  names.set("p", one, 1);
  names.set("q", two, 2);
  names.set("", two, 2);
  names.forgetUntil(1);
  expect([names.get("p"), names.get("q"), names.get("")]).toEqual([undefined, two, two]);
  names.forgetUntil(2);
  expect(names.size).toBe(0);
  expect(names.get("")).toBeUndefined();
});

test("what is held stays behind the end of its transaction, until it is closed", () => {
  names.set("held", one, 1, true);
  names.set("not", one, 1);
  names.forgetUntil(1);
  expect([names.get("held"), names.get("not")]).toEqual([one, undefined]);
  names.set("held", two, 2);
  names.forgetUntil(2);
  expect(names.get("held")).toBeUndefined();
});

test("of what is held the oldest is forgotten", () => {
  for (let n = 0; n < mostHeld; n++) names.set(`c${n}`, one, n, true);
  names.set("c0", one, mostHeld, true);
  names.set("more", one, mostHeld, true);
  names.forgetUntil(mostHeld);
  expect(names.size).toBe(mostHeld);
  expect([names.get("c0"), names.get("c1"), names.get("more")]).toEqual([one, undefined, one]);
});
