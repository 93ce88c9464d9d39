import { expect, test } from "vitest";
import { type Filter, matches } from "../../../src/audit/filter.ts";
import { parseLine } from "../../../src/audit/line.ts";

const statement = parseLine(
  JSON.stringify({
    time: "2026-02-01T12:00:00.000Z",
    event: "statement",
    session: "s1",
    identity: "alice",
    id: 1,
    role: "analyst",
    verdict: "run",
    kind: "SELECT",
    relations: ["public.orders", "reporting.totals"],
    sql: "select * from orders",
    sent: "select * from (select id from public.orders) orders",
  }),
);

test.each<[Filter, boolean]>([
  [{}, true],
  [{ since: "2026-02-01T12:00:00.000Z", until: "2026-02-01T12:00:00.000Z" }, true],
  [{ since: "2026-02-01T12:00:00.001Z" }, false],
  [{ until: "2026-02-01T11:59:59.999Z" }, false],
  [{ identity: "alice" }, true],
  [{ identity: "ALICE" }, false],
  [{ role: "analyst" }, true],
  [{ role: "admin" }, false],
  [{ relation: "orders" }, true],
  [{ relation: "public.orders" }, true],
  [{ relation: "reporting.orders" }, false],
  [{ relation: "rders" }, false],
  [{ kind: "select" }, true],
  [{ kind: "SEL" }, false],
  [{ verdict: "run" }, true],
  [{ verdict: "refuse" }, false],
  [{ session: "s1" }, true],
  [{ session: "s" }, false],
  [{ grep: /from orders$/u }, true],
  [{ grep: /public\./u }, true],
  [{ grep: /salaries/u }, false],
  [{ identity: "alice", role: "analyst", kind: "SELECT" }, true],
  [{ identity: "alice", role: "admin" }, false],
])("%j: %s", (filter, expected) => {
  expect(statement && matches(filter, statement)).toBe(expected);
});

test.each<[Filter, boolean]>([
  [{ kind: "Login Failed" }, true],
  [{ identity: "bob" }, true],
  [{ identity: "alice" }, false],
  [{ role: "analyst" }, false],
  [{ relation: "orders" }, false],
  [{ verdict: "refuse" }, false],
  [{ grep: /./u }, false],
])("a failed login, %j: %s", (filter, expected) => {
  const login = parseLine('{"time":"2026-02-01T12:00:00.000Z","event":"login failed","user":"bob"}');
  expect(login && matches(filter, login)).toBe(expected);
});
