import { array, assert, constantFrom, oneof, property, string, uint8Array } from "fast-check";
import { describe, expect, test } from "vitest";
import { RolegateError } from "../../../../src/errors.ts";
import { parseCommand } from "../../../../src/session/own-database/command.ts";

const asked = (role: string, database: string, reason = "why") => ({
  kind: "ask",
  ask: { kind: "approval", role, database, duration: 1_800_000, reason },
});

describe("a command", () => {
  test.each([
    ["REQUEST ROLE admin ON shop FOR '30m' REASON 'why'", asked("admin", "shop")],
    ["request role Admin on SHOP for '30min' reason 'why';", asked("admin", "shop")],
    [' \n request\trole "Ad""min" on "my shop" for \'1800s\' reason \'why\' ; ', asked('Ad"min', "my shop")],
    ["request role role on \"on\" for '30m' reason 'why'", asked("role", "on")],
    [
      "REQUEST ROLE a ON b FOR '30m' REASON 'it''s; drop table x --'",
      asked("a", "b", "it's; drop table x --"),
    ],
    ["REQUEST ROLE a ON b FOR '30m' REASON '\\'", asked("a", "b", "\\")],
    [
      "BREAK GLASS ROLE admin ON shop FOR '15min' REASON 'fire'",
      {
        kind: "ask",
        ask: { kind: "break-glass", role: "admin", database: "shop", duration: 900_000, reason: "fire" },
      },
    ],
    ["APPROVE 17", { kind: "approve", request: 17, comment: "" }],
    ["approve 17 comment 'fine'", { kind: "approve", request: 17, comment: "fine" }],
    ["DENY 17 REASON 'no'", { kind: "deny", request: 17, comment: "no" }],
    ["WITHDRAW 000017", { kind: "withdraw", request: 17, comment: "" }],
    ["SHOW REQUESTS", { kind: "show requests" }],
    ["show identity;", { kind: "show identity" }],
    ["", undefined],
    [" ; ", undefined],
  ])("%j", (text, command) => {
    expect(parseCommand(text)).toEqual(command);
  });
});

test.each([
  "SELECT 1",
  "LISTEN x",
  "BEGIN",
  "SET ROLE admin",
  "SHOW",
  "SHOW ALL",
  "SHOW REQUESTS SHOW REQUESTS",
  "SHOW REQUESTS; SHOW REQUESTS",
  "SHOW REQUESTS;;",
  ";SHOW REQUESTS",
  "SHOW REQUESTS -- all",
  "SHOW /* all */ REQUESTS",
  '"SHOW" REQUESTS',
  "APPROVE",
  "APPROVE 17 18",
  "APPROVE 17, 18",
  "APPROVE '17'",
  "APPROVE -17",
  "APPROVE 17.0",
  "APPROVE 17x",
  "APPROVE 0x11",
  "APPROVE 1_7",
  "APPROVE 1e3",
  "APPROVE 1234567890123456",
  "APPROVE ١٧",
  "APPROVE 17 'comment'",
  "DENY 17",
  "DENY 17 REASON",
  "DENY 17 REASON why",
  "DENY 17 REASON 'a''",
  "DENY 17 REASON 'a' 'b'",
  "DENY 17 REASON 'a''b'c",
  "DENY 17 REASON E'a'",
  "DENY 17 REASON $$a$$",
  "DENY 17 REASON U&'a'",
  "WITHDRAW ALL",
  "REQUEST ROLE admin",
  "REQUEST ROLE 'admin' ON shop FOR '30m' REASON 'why'",
  "REQUEST ROLE \"\" ON shop FOR '30m' REASON 'why'",
  "REQUEST ROLE admin ON shop REASON 'why' FOR '30m'",
  "REQUEST GLASS ROLE admin ON shop FOR '30m' REASON 'why'",
  "REQUEST ROLE admin ON shop FOR 30m REASON 'why'",
  "REQUEST ROLE admin ON shop FOR '30m' REASON 'why' APPROVED BY 'bob'",
  "REQUEST ROLE admin ON shop FOR '30m'REASON 'why'",
  "REQUEST\u00a0ROLE admin ON shop FOR '30m' REASON 'why'",
  "ſhow requests",
])("%j is none", (text) => {
  expect(() => parseCommand(text)).toThrow(
    expect.objectContaining({ problem: expect.objectContaining({ code: "statement_unparsable" }) }),
  );
});

test.each(["", "0s", "1", "30 m", "-1h", "1.5h", "1d", "9999999h", "1H"])(
  "%j is no time to ask for",
  (time) => {
    expect(() => parseCommand(`REQUEST ROLE a ON b FOR '${time}' REASON 'why'`)).toThrow(
      expect.objectContaining({ problem: expect.objectContaining({ code: "request_invalid" }) }),
    );
  },
);

test("a refusal says where, in characters, and how it is written", () => {
  try {
    parseCommand("DENY 17 REASON '🦊' 5");
    expect.unreachable();
  } catch (error) {
    expect(error instanceof RolegateError && error.problem).toMatchObject({
      message: 'syntax error at or near "5"',
      position: 20,
      hint: "DENY number REASON 'why'",
    });
  }
});

test("no text does anything else than give a command or be refused, in its own words", () => {
  const word = constantFrom(
    ..."REQUEST ROLE BREAK GLASS APPROVE DENY WITHDRAW SHOW REQUESTS IDENTITY ON FOR REASON COMMENT admin".split(
      " ",
    ),
    ..."' '' \" ; -- /* */ ( ) 17 '30m' 'why' \\ $$ \0 \n".split(" "),
  );
  const text = oneof(
    string({ unit: "binary" }),
    array(word, { maxLength: 14 }).map((words) => words.join(" ")),
    uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
  );
  assert(
    property(text, (given) => {
      try {
        const command = parseCommand(given);
        if (command === undefined) expect(given).toMatch(/^\s*;?\s*$/);
        else expect(Object.keys(command)).toContain("kind");
      } catch (error) {
        expect(error).toBeInstanceOf(RolegateError);
        expect(["statement_unparsable", "request_invalid"]).toContain((error as RolegateError).problem.code);
      }
    }),
    { numRuns: 2000 },
  );
});

test("a long text is taken apart in a moment", () => {
  for (const text of [
    "'".repeat(16_000),
    `DENY 1 REASON '${"''".repeat(8000)}`,
    "((".repeat(8000),
    "a ".repeat(8000),
  ]) {
    const started = performance.now();
    expect(() => parseCommand(text)).toThrow(/syntax error/);
    expect(performance.now() - started).toBeLessThan(500);
  }
});
