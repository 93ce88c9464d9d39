import { describe, expect, test } from "vitest";
import { nothingQuotable, unknownQuotable } from "../../../src/rewrite/quotable.ts";
import { readServerError, readServerNotice } from "../../../src/session/server-error.ts";
import type { Cover } from "../../../src/session/what-passes.ts";
import { frameTable } from "../../../src/wire/frame-table.ts";
import { FrameReader } from "../../../src/wire/frames.ts";
import { trace } from "../../../src/wire/trace.ts";
import { message } from "../../../src/wire/writer.ts";

/** A reader that stands at an ErrorResponse with these fields. */
function at(fields: Record<string, string>, gathered = 65_536): FrameReader {
  const body = Object.entries(fields).map(([code, value]) => `${code}${value}\0`);
  const reader = new FrameReader(frameTable({ E: 10_000_000 }, { E: { whole: gathered } }));
  const bytes = message("E", Buffer.from(`${body.join("")}\0`));
  reader.feed(bytes.subarray(0, gathered));
  reader.next();
  return reader;
}
const openly: Cover = {
  rewritten: false,
  hides: false,
  quotable: nothingQuotable,
  hints: new Map(),
  early: false,
  rules: undefined,
};
const guarded: Cover = { ...openly, rewritten: true, hides: true };
const told = (answer: Buffer) => trace(answer, "server")[0];
const error = {
  S: "ERROR",
  V: "ERROR",
  C: "42P01",
  M: "no such table",
  P: "15",
  F: "parse_relation.c",
  L: "1",
  R: "f",
};
const refusal = message("E", Buffer.from("SERROR\0C42501\0Mrefused\0\0"));

describe("an error of the server", () => {
  test("loses what names its source, and its position where another text was sent", () => {
    expect(told(readServerError(at(error), undefined, openly).answer)).toBe(
      'ErrorResponse S="ERROR" V="ERROR" C="42P01" M="no such table" P="15" R="f"',
    );
    expect(told(readServerError(at(error), undefined, guarded).answer)).not.toContain("P=");
  });

  test("keeps the routine that clients go by, unless its words are withheld", () => {
    const stale = {
      ...error,
      C: "0A000",
      M: "cached plan must not change result type",
      R: "RevalidateCachedQuery",
    };
    expect(told(readServerError(at(stale), undefined, openly).answer)).toContain('R="RevalidateCachedQuery"');
    const raising = { ...guarded, quotable: unknownQuotable };
    const { P: _, ...raised } = { ...error, C: "22P02", M: "CANARY", R: "CANARY" };
    expect(told(readServerError(at(raised), undefined, raising).answer)).not.toContain("CANARY");
  });

  test("a notice has its position, unless another text was sent", () => {
    const notice = { ...error, S: "WARNING", V: "WARNING", C: "01000" };
    expect(told(readServerNotice(at(notice), openly).answer!)).toContain('P="15"');
    expect(told(readServerNotice(at(notice), { ...openly, rewritten: true }).answer!)).not.toContain("P=");
  });

  test("that we provoked is replaced, another one in its place is not", () => {
    for (const C of ["42601", "26000", "34000"])
      expect(readServerError(at({ ...error, C }), refusal, openly).answer).toBe(refusal);
    for (const C of ["57014", "25P02", "57P01"])
      expect(readServerError(at({ ...error, C }), refusal, openly).answer).not.toBe(refusal);
  });

  test("that a check raised names the rule", () => {
    const M = 'invalid input syntax for type boolean: "rolegate:check:roles/a.yaml:7 orders.insert.check"';
    const { failure, answer } = readServerError(at({ ...error, C: "22P02", M }), undefined, openly);
    expect(failure.sqlstate).toBe("42501");
    expect(told(answer)).toContain("the check of rule roles/a.yaml:7 orders.insert.check");
  });

  test("without SQLSTATE, without severity, cut short or empty is still an error", () => {
    expect(readServerError(at({ M: "x" }), undefined, openly)).toMatchObject({
      failure: { sqlstate: "XX000" },
      fatal: false,
    });
    expect(readServerError(at({}), undefined, openly).failure.sqlstate).toBe("XX000");
    expect(readServerError(at({ ...error, S: "FATAL", V: "FATAL" }), undefined, openly).fatal).toBe(true);
  });

  test("keeps no unread part where something is hidden", () => {
    const long = at({ ...error, C: "22P02", M: "CANARY", W: "x".repeat(100_000) }, 65_536);
    const { answer, failure } = readServerError(long, undefined, guarded);
    expect(told(answer)).not.toContain("CANARY");
    expect(failure).toMatchObject({ withheld: true, told: { message: "CANARY" } });
  });

  test("of many megabytes loses all but its beginning", () => {
    const { answer } = readServerError(at({ ...error, M: "x".repeat(100_000) }, 65_536), undefined, openly);
    expect(answer.length).toBeLessThan(2_000);
    expect(told(answer)).toContain('C="42P01"');
  });
});
