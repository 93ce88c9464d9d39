import { describe, expect, test } from "vitest";
import { originOf } from "../../../src/session/origin.ts";

describe("who speaks, by the context of a message", () => {
  test.each([
    ["", "statement"],
    ["parallel worker", "statement"],
    ["PL/pgSQL function guard() line 3 at RAISE\nparallel worker", "raise"],
    ['JSON data, line 1: {"a', "statement"],
    ['while inserting index tuple (0,12) in relation "t_pkey"', "statement"],
    ['COPY orders, line 3, column amount: "x"', "input"],
    ['COPY orders, line 3: "1,2,3"', "input"],
    ["COPY orders, line 3, column amount: null input", "input"],
    ["unnamed portal parameter $1 = 'x'", "input"],
    ["unnamed portal parameter $1", "input"],
    ["portal \"p\" parameter $2 = 'x'", "input"],
    ["unnamed portal with parameters: $1 = 'x'", "input"],
    ["PL/pgSQL function guard() line 3 at RAISE", "raise"],
    ['PL/pgSQL function guard() line 3 at RAISE\nSQL statement "insert into t values (1)"', "raise"],
    ["PL/pgSQL function guard(integer) line 3 at assignment", "function"],
    ['PL/pgSQL expression "1/0"\nPL/pgSQL function f() line 3 at RETURN', "function"],
    [
      'SQL statement "insert into log values ($1)"\nPL/pgSQL function f() line 3 at SQL statement',
      "function",
    ],
    ['SQL function "f" statement 1', "function"],
    ['PL/Python function "f"', "unknown"],
    ["remote SQL command: SELECT secret FROM public.t", "unknown"],
    ["PL/pgSQL-Funktion guard() Zeile 3 bei RAISE", "unknown"],
    // What is quoted may hold line breaks and look like anything.
    ['COPY orders, line 3: "a\nPL/pgSQL function guard() line 3 at RAISE"', "unknown"],
    ['COPY secret, line 3: "CANARY"\nSQL statement "copy secret from …"\nPL/pgSQL function f()', "unknown"],
    ["unnamed portal parameter $1 = 'x'\nPL/pgSQL function guard() line 3 at RAISE", "unknown"],
  ])("%s", (context, kind) => {
    expect(originOf(context).kind).toBe(kind);
  });

  test.each([
    ["guard()", undefined, "guard"],
    ["app.guard(integer,text)", "app", "guard"],
    ['"Odd ""one"()', undefined, 'Odd "one'],
    ['"a.b"."c(d"(text)', "a.b", "c(d"],
  ])("a function's name is read: %s", (shown, schema, name) => {
    expect(originOf(`PL/pgSQL function ${shown} line 1 at RAISE`)).toEqual({ kind: "raise", schema, name });
  });
});
