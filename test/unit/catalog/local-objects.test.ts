import { expect, test } from "vitest";
import { relationKey } from "../../../src/catalog/catalog.ts";
import {
  changeLocal,
  definedRelation,
  localRelation,
  localRelations,
  nothingLocal,
  sizeOfLocal,
  temporaryOnly,
  temporarySchema,
  withTemporaryOf,
  type LocalObjects,
} from "../../../src/catalog/local-objects.ts";

const made = (local: LocalObjects, schema: string, name: string, kind: "table" | "view" = "table") =>
  changeLocal(local, { kind: "relation", relation: definedRelation(schema, name, kind), untilCommit: false });
const dropped = (local: LocalObjects, name: string) => changeLocal(local, { kind: "dropped", name });
const names = (local: LocalObjects) =>
  localRelations(local)
    .map(({ schema, name }) => `${schema}.${name}`)
    .toSorted();

test("what was made last counts, and what was dropped is gone", () => {
  let local = made(nothingLocal, temporarySchema, "a");
  local = made(local, "app", "b");
  local = dropped(local, "a");
  expect(names(local)).toEqual(["app.b"]);
  expect(localRelation(local, relationKey(temporarySchema, "a"))).toBeUndefined();
  local = made(local, temporarySchema, "a", "view");
  expect(localRelation(local, relationKey(temporarySchema, "a"))?.kind).toBe("view");
});

test("a state that was kept does not change with later ones", () => {
  const before = made(nothingLocal, temporarySchema, "a");
  const states = Array.from({ length: 50 }, (_, n) => n).reduce<LocalObjects[]>(
    (all, n) => [...all, made(all.at(-1)!, temporarySchema, `t${n}`)],
    [before],
  );
  expect(names(before)).toEqual(["pg_temp.a"]);
  expect(names(states[7]!)).toHaveLength(8);
  expect(names(states.at(-1)!)).toHaveLength(51);
  expect(states.at(-1)!.levels.length).toBeLessThan(10);
});

test("a session that makes and drops for ever keeps no more than it has", () => {
  let local = nothingLocal;
  for (let n = 0; n < 2_000; n++) local = dropped(made(local, temporarySchema, `t${n}`), `t${n}`);
  expect(sizeOfLocal(local)).toBeLessThan(50);
  expect(names(local)).toEqual([]);
});

test("a fresh catalog leaves temporary relations, a rollback those of before", () => {
  const before = made(nothingLocal, temporarySchema, "a");
  const after = dropped(made(made(before, temporarySchema, "b"), "app", "c"), "a");
  expect(names(temporaryOnly(after))).toEqual(["pg_temp.b"]);
  expect(names(withTemporaryOf(after, before))).toEqual(["app.c", "pg_temp.a"]);
  expect(temporaryOnly(made(nothingLocal, "app", "c"))).toBe(nothingLocal);
});

test("the name of a temporary view stays known, whatever is taken back", () => {
  const local = dropped(made(nothingLocal, temporarySchema, "v", "view"), "v");
  expect([...withTemporaryOf(local, nothingLocal).views]).toEqual(["v"]);
  expect([...temporaryOnly(local).views]).toEqual(["v"]);
  expect([...made(nothingLocal, "app", "v", "view").views]).toEqual([]);
});
