import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { longestStatement } from "../../src/session/frame-tables.ts";
import { mainThreadLimits, workerLimits } from "../../src/sql/parser.ts";
import {
  maxErrorMessage,
  maxStartupPacket,
  oauthLimits,
  passwordLimits,
  saslLimits,
} from "../../src/wire/limits.ts";
import { tableUnder } from "./markdown-table.ts";

const page = path.resolve(import.meta.dirname, "../../docs/protocol.md");

test("docs/protocol.md gives the limits that are in force", () => {
  const rows = tableUnder(page, "## Limits").map(([what, most = ""]) => [what, Number.parseInt(most, 10)]);
  expect(rows).toEqual([
    ["startup packet", maxStartupPacket],
    ["password message", passwordLimits.p],
    ["SASL message", saslLimits.p],
    ["SASL message of OAUTHBEARER", oauthLimits.p],
    ["Query, Parse", longestStatement],
    ["text of a statement, in its short form", workerLimits.text],
    ["tokens of that", workerLimits.tokens],
    ["nesting of a statement", workerLimits.depth],
    ["ErrorResponse, NoticeResponse", maxErrorMessage],
  ]);
  expect(readFileSync(page, "utf8")).toContain(`more than ${mainThreadLimits.text}\nbytes`);
});
