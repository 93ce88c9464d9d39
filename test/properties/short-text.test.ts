import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { proveCuts } from "../../src/sql/cut-proof.ts";
import { loadParser, parserMajors, type Parser } from "../../src/sql/parser.ts";
import { shortText, type ShortText } from "../../src/sql/short-text.ts";
import { sameTree } from "../../src/sql/splice.ts";
import { walk } from "../../src/sql/walk.ts";

/** Cuts whatever can be cut, so that small texts show what large ones do. */
const sizes = { leastSaved: 1, literalKept: 3 };

const constants = fc.constantFrom(
  ..."1 -1 2.5 -3e5 4e-2 null NULL true False default $1 '' 'a' 'it''s' 'é日😀' '\\' 'a long constant' 'a long '' one''' '--' '/*' '),(' '1'::int 2::numeric(10,2) 'x'::a.b[]".split(
    " ",
  ),
  "'a long constant'",
  "'two\nlines'",
);
/** What is not quite a constant, or not one alone. */
const others = fc.constantFrom(
  ..."a 1a --1 - +1 (1) f(1) 'a'|| E'\\' E'a\\'b' 'a'--\n U&'a' B'01' N'x' $a$b$a$ 1. .5 0x1f 1_0 1/**/ /* (1,2) ' '' \" ; ) ( ,, -1::int default::int $1a 1and 'a'::int::text".split(
    " ",
  ),
  "'a'\n'b'",
  "'a' -- c\n 'b'",
  "1\v",
);
const item = fc.oneof({ weight: 8, arbitrary: constants }, { weight: 1, arbitrary: others });
const gap = fc.constantFrom("", " ", "\n", "\r\n", "\t ", "\f", "\v", "/* c */", "-- c\n");
const plainGap = fc.oneof(
  { weight: 30, arbitrary: fc.constantFrom("", " ", "\n ") },
  { weight: 1, arbitrary: gap },
);

const listOf = (element: fc.Arbitrary<string>, most: number) =>
  fc
    .array(fc.tuple(element, plainGap, plainGap), { minLength: 1, maxLength: most })
    .map((parts) => parts.map(([text, before, behind]) => `${before}${text}${behind}`).join(","));

const rows = fc.integer({ min: 1, max: 3 }).chain((width) =>
  listOf(
    fc
      .array(item, { minLength: width, maxLength: width })
      .chain((items) => plainGap.map((space) => `(${items.join(`,${space}`)})`)),
    6,
  ),
);
const items = listOf(item, 6);

const list = fc.oneof(
  rows.map((text) => `values ${text}`),
  rows.map((text) => `select 1 where (a, b) in (${text})`),
  items.map((text) => `select 1 where a in (${text})`),
  items.map((text) => `select 1 where a not in (${text}) or b = any (array[${text}])`),
  items.map((text) => `select f(${text})`),
);
const statement = fc.oneof(
  list,
  rows.map((text) => `insert into t (a, b) values ${text} on conflict do nothing`),
  fc.tuple(list, list).map(([left, right]) => `with x as (${left}) ${right}`),
  fc.tuple(list, list).map(([left, right]) => `${left}; ${right}`),
  list.map((text) => `update t set (a, b) = (${text})`),
  list.map((text) => `select (${text}), 'a long constant', $$another$$`),
);

/** All that may have been left out with a list; a cast's type stands in the rest too. */
const constantKinds =
  "List RowExpr A_Const Integer Float String Boolean TypeCast TypeName SetToDefault ParamRef".split(" ");

/** The tree of the whole text without the elements that start in a cut, and with strings cut as the short text has them. */
function withoutCuts(tree: unknown, { cuts }: ShortText): unknown {
  const starts = (node: unknown): number => {
    const [fields] = Object.values((node ?? {}) as Record<string, Record<string, unknown>>);
    const inner = fields?.["arg"] ?? (fields?.["items"] as unknown[] | undefined)?.[0];
    const args = (fields?.["args"] as unknown[] | undefined)?.[0];
    return inner !== undefined || args !== undefined
      ? starts(inner ?? args)
      : ((fields?.["location"] as number | undefined) ?? -1);
  };
  const cutAway = (node: unknown) => {
    const at = starts(node);
    const away = cuts.some(({ from, to, inside }) => inside.kind !== "literal" && at >= from && at < to);
    if (away) walk(node, (kind) => expect(constantKinds).toContain(kind));
    return away;
  };
  const visit = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.filter((element) => !cutAway(element)).map(visit);
    if (typeof node !== "object" || node === null) return node;
    const { A_Const } = node as { A_Const?: { location: number; sval?: { sval?: string } } };
    const cut = cuts.find(
      ({ from, inside }) =>
        inside.kind === "literal" &&
        A_Const?.sval?.sval === inside.whole() &&
        A_Const.location < from &&
        from - A_Const.location < 20,
    );
    if (A_Const && cut?.inside.kind === "literal") {
      return { A_Const: { ...A_Const, sval: cut.inside.value === "" ? {} : { sval: cut.inside.value } } };
    }
    return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, visit(value)]));
  };
  return visit(tree);
}

/** What the short text says, where the tree bears its cuts out: its statements. */
function proved(parser: Parser, short: ShortText) {
  const parsed = parser.parse(short.text);
  if (parsed.kind !== "parsed" || parsed.text !== undefined || short.cuts.length === 0) return undefined;
  return proveCuts(parsed.statements, short.cuts) === undefined ? undefined : parsed.statements;
}

describe.each(parserMajors)("a short text, for %i,", (major) => {
  it("reads like the whole text without what was left out", async () => {
    const parser = await loadParser(major);
    let compared = 0;
    fc.assert(
      fc.property(statement, (text) => {
        const short = shortText(text, sizes);
        const statements = proved(parser, short);
        if (statements === undefined) return;
        const whole = parser.parse(text);
        // What the grammar refuses, such as a parameter's number that is too long, never runs.
        if (whole.kind === "error") return;
        expect(whole.kind).toBe("parsed");
        if (whole.kind !== "parsed") return;
        expect(whole.text).toBeUndefined();
        expect(sameTree(withoutCuts(whole.statements, short), statements), text).toBe(true);
        compared += 1;
      }),
      { numRuns: 12_000 },
    );
    expect(compared).toBeGreaterThan(1500);
  });

  it("parses where the whole text does", async () => {
    const parser = await loadParser(major);
    fc.assert(
      fc.property(statement, (text) => {
        const short = shortText(text, sizes);
        fc.pre(short.cuts.length > 0 && parser.parse(text).kind === "parsed");
        expect(parser.parse(short.text).kind, text).toBe("parsed");
      }),
      { numRuns: 2000 },
    );
  });
});
