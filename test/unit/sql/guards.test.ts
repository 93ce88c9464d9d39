import { describe, expect, it } from "vitest";
import { tooComplex } from "../../../src/sql/guards.ts";
import { loadParser, parserMajors, workerLimits } from "../../../src/sql/parser.ts";
import { walk } from "../../../src/sql/walk.ts";

const limits = { bytes: 256 * 1024, tokens: 40_000, depth: 1000, rescanned: 512 * 1024 };

const judge = (sql: string) => tooComplex(Buffer.from(sql), limits);

/** Nested assignments whose source the tree repeats for each column: 1.1 kB came to 545 MB of JSON. */
const assignments = (wrap: (source: string) => string, times: number) => {
  let source = "select 1,2";
  for (let round = 0; round < times; round += 1)
    source = `with x as (${wrap(source)} returning 1) select 1,2`;
  return source;
};

describe("guards", () => {
  it.each([
    ["UPDATE", (source: string) => `update t set (a,b)=(${source})`],
    [
      "UPDATE with an expression",
      (source: string) => `update t set (a,b) = 1 + case when a and f((${source})) then 1 end`,
    ],
    ["UPDATE behind comments", (source: string) => `update t set ( a,"b" ) /*x*/ = --y\n row(1,(${source}))`],
    [
      "ON CONFLICT",
      (source: string) => `insert into t values (1) on conflict do update set (a,b)=(${source})`,
    ],
    [
      "MERGE",
      (source: string) => `merge into t using s on true when matched then update set (a,b)=(${source})`,
    ],
  ])("refuses exponential assignments in %s", (_, wrap) => {
    expect(judge(assignments(wrap, 3))).toBeUndefined();
    expect(judge(assignments(wrap, 20))).toMatch(/more than 40000 words/);
  });

  it.each([
    ["operators in a row", `select 1 ${"+-".repeat(2000)}1`, /operators in a row/],
    ["comment openers", `select 1 ${"/*".repeat(2000)}`, /comments in one another/],
    ["nested comments", `select 1 ${"/*".repeat(2000)}${"*/".repeat(2000)}`, /comments in one another/],
    ["comments without a gap", `select 1 ${"/**/".repeat(2000)}`, /comments in one another/],
    ["brackets", `select ${"(".repeat(1500)}`, /nested too deeply/],
    ["sub-selects", `select ${"(select ".repeat(1500)}1${")".repeat(1500)}`, /nested too deeply/],
    ["casts", `select 1${"::int".repeat(1500)}`, /nested too deeply/],
    ["NOT", `select ${"not ".repeat(1500)}true`, /nested too deeply/],
    ["joins", `select * from a${" join b on true".repeat(1500)}`, /nested too deeply/],
    ["set operations", `select 1${" union select 1".repeat(1500)}`, /nested too deeply/],
    ["CASE", `select ${"case when a and a then ".repeat(1500)}1${" end".repeat(1500)}`, /nested too deeply/],
    ["a long text", `select '${"x".repeat(300_000)}'`, /longer than/],
    ["many words", `select a${",a".repeat(30_000)}`, /more than 40000 words/],
  ])("refuses %s", (_, sql, reason) => {
    expect(judge(sql)).toMatch(reason);
  });

  it.each([
    ["a banner of dashes and stars", `--${"-".repeat(5000)}\n/*${"*".repeat(5000)}*/ select 1`],
    ["brackets in a string", `select '${"[".repeat(5000)}', $$${"(".repeat(5000)}$$, "${"(".repeat(50)}"`],
    ["many conditions", `select * from t where ${"(a, b) = (1, 2) or not c = 3 and ".repeat(1000)} true`],
    ["a bulk insert", `insert into t (a, b) values (-1, 'x'::text)${", (-1, 'x'::text)".repeat(3000)}`],
    ["many CASEs", `select ${"case when a then b end, ".repeat(2000)} 1`],
    ["a wide assignment", `update t set (${"a, ".repeat(20)} b) = (select ${"c.d, ".repeat(20)} e from c)`],
  ])("lets %s through", (_, sql) => {
    expect(judge(sql)).toBeUndefined();
  });

  it("keeps within the stack whatever it lets through", async () => {
    const deep = [
      (n: number) => `select ${"f(".repeat(n)}1${")".repeat(n)}`,
      (n: number) => `select ${"- ".repeat(n)}a`,
      (n: number) => `select ${"(select ".repeat(n)}1${")".repeat(n)}`,
      (n: number) => `select 1${" collate c".repeat(n)}`,
      (n: number) => `select ${"a[b[".repeat(n / 2)}1${"]]".repeat(n / 2)}`,
      (n: number) => `select * from ${"(".repeat(n)}a${" cross join b)".repeat(n)}`,
      (n: number) => `select ${"1 + case when a and ".repeat(n / 2)}true${" then 1 end".repeat(n / 2)}`,
    ];
    const reasons = new Set<string>();
    for (const major of parserMajors) {
      const parser = await loadParser(major, workerLimits);
      for (const make of deep) {
        for (const levels of [490, 990]) {
          const result = parser.parse(make(levels));
          if (result.kind === "refused") reasons.add(result.reason);
          if (result.kind === "parsed")
            walk(
              result.statements.map(({ stmt }) => stmt),
              () => undefined,
            );
        }
      }
    }
    expect([...reasons]).toEqual([]);
  });
});
