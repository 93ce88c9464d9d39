import * as fc from "fast-check";
import { expect, test } from "vitest";
import { LineSplitter } from "../../../src/audit/split-lines.ts";

function split(chunks: readonly Buffer[]): (string | undefined)[] {
  const splitter = new LineSplitter();
  const lines = chunks.flatMap((chunk) => splitter.push(chunk));
  return [...lines, splitter.end()].map((line) => line?.text);
}

test("any split of the bytes gives the same lines", () => {
  const text = fc.array(fc.string({ unit: "grapheme" })).map((lines) => lines.join("\n"));
  fc.assert(
    fc.property(text, fc.array(fc.nat({ max: 200 })), (text, cuts) => {
      const bytes = Buffer.from(text);
      const edges = [0, ...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b), bytes.length];
      const chunks = edges.slice(1).map((end, index) => Buffer.from(bytes.subarray(edges[index], end)));
      expect(split(chunks)).toEqual(split([bytes]));
    }),
  );
});

test("lines are numbered as an editor numbers them, empty ones too", () => {
  const splitter = new LineSplitter();
  expect(splitter.push(Buffer.from("a\n\nb\nc"))).toEqual([
    { number: 1, text: "a" },
    { number: 3, text: "b" },
  ]);
  expect(splitter.end()).toEqual({ number: 4, text: "c" });
});

test("a chunk may be reused", () => {
  const splitter = new LineSplitter();
  const chunk = Buffer.from("abc");
  splitter.push(chunk);
  chunk.fill("x");
  expect(splitter.push(Buffer.from("d\n"))).toEqual([{ number: 1, text: "abcd" }]);
});

test("a line without an end in sight takes no memory, and is told from a whole one", () => {
  const splitter = new LineSplitter();
  const megabyte = Buffer.alloc(1024 * 1024, "x");
  for (let n = 0; n < 17; n++) expect(splitter.push(megabyte)).toEqual([]);
  expect(splitter.push(Buffer.from("\nnext\n"))).toEqual([
    { number: 1, text: undefined },
    { number: 2, text: "next" },
  ]);
});
