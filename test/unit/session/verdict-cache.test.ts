import { expect, test } from "vitest";
import type { JudgeContext } from "../../../src/rewrite/judgement.ts";
import { VerdictCache, type VerdictScope } from "../../../src/session/verdict-cache.ts";

const context = (
  over: { key?: string; role?: string; path?: string[]; version?: number; roles?: string[] } = {},
) =>
  ({
    grants: { key: over.key ?? "grants", role: over.role ?? "analyst" },
    catalog: { version: over.version ?? 1 },
    searchPath: over.path ?? ["public"],
    roles: new Set(over.roles ?? ["analyst"]),
  }) as unknown as JudgeContext;

function cacheOf(limits: { entries?: number; bytes?: number } = {}) {
  const judged: string[] = [];
  const counts = { hits: 0, misses: 0, entries: 0 };
  const cache = new VerdictCache({
    judge: (text) => {
      judged.push(text);
      if (text === "broken") throw new TypeError("a fault");
      return { kind: "run", text, rewritten: false, statements: [] } as const;
    },
    failed: () => judged.push("failed"),
    counts,
    ...limits,
  });
  return { cache, judged, counts };
}

/** As a session asks. */
const ask = (scope: VerdictScope, text: string) => scope.known(text) ?? scope.judge(text);

test("a text is judged once, and anew under any other premise", () => {
  const { cache, judged, counts } = cacheOf();
  const verdict = ask(cache.scope(context()), "select 1");
  expect(ask(cache.scope(context()), "select 1")).toBe(verdict);
  expect(counts).toMatchObject({ hits: 1, misses: 1 });
  const others = [{ key: "other" }, { path: ["other"] }, { version: 2 }, { roles: ["analyst", "admin"] }];
  for (const premise of others) ask(cache.scope(context(premise)), "select 1");
  expect(judged).toHaveLength(5);
});

test("entries and bytes are bounded, and what is used stays", () => {
  const { cache, judged } = cacheOf({ entries: 10 });
  const scope = cache.scope(context());
  for (let n = 0; n < 100; n++) {
    ask(scope, "kept");
    ask(scope, `text ${n}`);
  }
  expect(judged.filter((text) => text === "kept")).toHaveLength(1);
  expect(scope.young.size + scope.old.size).toBeLessThanOrEqual(20);
  const bounded = cacheOf({ bytes: 100_000 });
  const other = bounded.cache.scope(context());
  for (let n = 0; n < 100; n++) other.judge(`${n}`.padEnd(20_000));
  expect(other.young.size + other.old.size).toBeLessThan(10);
});

test("a scope that was let go is shared again once it is used", () => {
  const { cache } = cacheOf({ entries: 2 });
  const idle = cache.scope(context());
  ask(idle, "a");
  for (let n = 0; n < 20; n++) ask(cache.scope(context({ key: "busy" })), `text ${n}`);
  const again = ask(idle, "a");
  expect(ask(cache.scope(context()), "a")).toBe(again);
});

test("what is not UTF-8, and what cannot be judged, is refused", () => {
  const { cache, judged } = cacheOf();
  const scope = cache.scope(context());
  expect(scope.judge("\xff")).toMatchObject({ problem: { code: "encoding_invalid" } });
  expect(scope.judge("broken")).toMatchObject({ problem: { code: "internal" } });
  expect(judged).toEqual(["broken", "failed"]);
  // Two characters in UTF-8, four bytes on the wire.
  scope.judge(Buffer.from("ü€").toString("latin1"));
  expect(judged.at(-1)).toBe("ü€");
});
