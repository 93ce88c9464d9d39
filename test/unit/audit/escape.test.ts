import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { asJson, visible } from "../../../src/audit/escape.ts";

/** What may not reach a file or a terminal as it is. */
// oxlint-disable-next-line no-control-regex
const acting = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;

const hostile = [
  ["newline", "a\nb", "a\\nb"],
  ["carriage return", "a\rb", "a\\rb"],
  ["tab", "a\tb", "a\\tb"],
  ["NUL", "a\0b", "a\\x00b"],
  ["terminal escape", "\x1b[2J\x1b]0;owned\x07", "\\x1b[2J\\x1b]0;owned\\x07"],
  ["DEL", "\x7f", "\\x7f"],
  ["C1 control sequence introducer", "\u009b31m", "\\x9b31m"],
  ["line separator", "\u2028", "\\u{2028}"],
  ["bidirectional override", "\u202etxt", "\\u{202e}txt"],
  ["zero-width space", "\u200b", "\\u{200b}"],
  ["tag character", "\u{e0041}", "\\u{e0041}"],
] as const;

describe("asJson", () => {
  test.each(hostile)("keeps %s out of the line and reads back the same", (_name, text) => {
    const json = asJson(text);
    expect(json).not.toMatch(acting);
    expect(JSON.parse(json)).toBe(text);
  });

  test("leaves letters of any script as they are, so that the record can be searched", () => {
    expect(asJson("Größe 漢字 😀")).toBe('"Größe 漢字 😀"');
  });

  test("any text is one line without acting characters and reads back the same", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const json = asJson({ text });
        expect(json).not.toMatch(acting);
        expect(JSON.parse(json)).toEqual({ text });
      }),
    );
  });

  test("a lone surrogate, which no UTF-8 file can hold, is escaped", () => {
    expect(asJson("\ud800")).toBe('"\\ud800"');
  });
});

describe("visible", () => {
  test.each(hostile)("shows %s", (_name, text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  test("nothing that a terminal acts on is left of any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(visible(text)).not.toMatch(acting);
        expect(visible(text).isWellFormed()).toBe(true);
      }),
    );
  });
});
