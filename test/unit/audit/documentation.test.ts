import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { entryAsJson } from "../../../src/audit/format.ts";
import { parseLine } from "../../../src/audit/line.ts";
import { Recorder, serialiseStatement } from "../../../src/audit/recorder.ts";
import { longestText } from "../../../src/audit/serialise.ts";
import { createLogger } from "../../../src/log.ts";
import { completion, sessionFacts, statementFacts } from "./facts.ts";
import { faultyFile } from "./faulty-file.ts";
import { foundIn, recordLines, temporaryDirectory, written } from "./record-directory.ts";

const page = readFileSync(new URL("../../../docs/audit.md", import.meta.url), "utf8");

/** Each event's section of the page. */
const sections = new Map(
  page
    .split(/^### /m)
    .slice(1)
    .map((section) => [/^`(.+)`/.exec(section)?.[1] ?? "", section.split(/^## /m)[0] ?? ""]),
);

/** A record with every event and every field that there is. */
async function fullRecord(): Promise<string> {
  const directory = temporaryDirectory();
  const file = faultyFile();
  const recorder = Recorder.open({ directory, log: createLogger("silent"), open: file.open });
  const login = { client: "127.0.0.1:1", user: "eve", database: "shop", applicationName: "", tls: false };
  recorder.loginFailed({ ...login, sqlstate: "28P01", reason: "no such user" });
  const revocation = {
    id: "7",
    kind: "role",
    value: "analyst",
    issuer: "i",
    database: "shop",
    by: "o@h",
    reason: "r",
  };
  recorder.revocation("revocation", revocation);
  recorder.revocation("revocation lifted", revocation);
  recorder.storeLost("refuse");
  recorder.storeFound(3);
  const session = recorder.openSession(sessionFacts({ credential: { issuer: "i" } }));
  const long = "x".repeat(longestText + 1);
  const refusal = { sqlstate: "42501", message: "no" };
  const id = session.begin(serialiseStatement(statementFacts({ sql: long, sent: long, refusal })));
  const error = { message: "no" };
  session.complete(
    id,
    completion({ sqlstate: "25P02", skipped: true, error, withheld: true, notices: [error] }),
  );
  session.commitFailed("23503", error);
  session.useRequest("admin", 17);
  const request = {
    id: 17,
    kind: "approval",
    requester: { name: "alice" },
    role: "admin",
    database: "shop",
    duration: 1_800_000,
    reason: "the queue is stuck",
  };
  const decision = { by: { name: "bob" }, comment: "" };
  for (const step of ["asked", "expired", "lapsed"] as const) recorder.request(step, request, undefined);
  for (const step of ["approved", "denied", "withdrawn"] as const) recorder.request(step, request, decision);
  session.end("client closed");
  await written(recorder);
  file.fault = { code: "ENOSPC", after: 0 };
  recorder.openSession(sessionFacts({ credential: { issuer: "i" } }));
  await written(recorder);
  delete file.fault;
  await vi.waitFor(() => expect(recorder.failure).toBeUndefined());
  await recorder.close();
  return directory;
}

test("the page describes every event with every field, and no other", async () => {
  const fields = new Map<string, string[]>();
  for (const line of recordLines(await fullRecord())) fields.set(String(line["event"]), Object.keys(line));
  const described = [...sections].map(([event, section]) => [
    event,
    Array.from(section.matchAll(/^\| `(\w+)`/gm), (match) => match[1]),
  ]);
  expect(Object.fromEntries(described)).toEqual(Object.fromEntries(fields));
});

test("the page's examples are lines of the record, with fields that it describes", () => {
  let examples = 0;
  for (const [event, section] of sections) {
    for (const [, example] of section.matchAll(/^```json\n([^`]+)\n```$/gm)) {
      for (const text of (example ?? "").split("\n")) {
        examples++;
        const line = parseLine(text);
        expect(line?.fields["event"]).toBe(event);
        for (const field of Object.keys(line?.fields ?? {})) expect(section).toContain(`| \`${field}\``);
      }
    }
  }
  expect(examples).toBeGreaterThan(5);
});

test("the page names what --json adds to a statement", async () => {
  const found = await foundIn(await fullRecord(), { kind: "SELECT" });
  const [entry] = found.filter((one) => one.kind === "statement");
  if (!entry) throw new Error("no statement");
  const statement = new Set(Object.keys(entry.line.fields));
  const added = Object.keys(JSON.parse(entryAsJson(entry)) as object).filter(
    (field) => !statement.has(field),
  );
  expect(page).toContain(`then ${added.map((field) => `\`${field}\``).join(", ")} |`);
});
