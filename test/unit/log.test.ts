import { expect, test } from "vitest";
import { createLogger } from "../../src/log.ts";

function captured(level: Parameters<typeof createLogger>[0] = "info") {
  const lines: string[] = [];
  return { log: createLogger(level, { write: (line) => void lines.push(line) }), lines };
}

test("a line is one JSON object with time, level and message", () => {
  const { log, lines } = captured();
  log.info({ port: 6432 }, "listening\nforged");
  expect(lines).toHaveLength(1);
  expect(lines[0]?.trimEnd()).not.toContain("\n");
  expect(JSON.parse(lines[0] ?? "")).toEqual({
    level: "info",
    time: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    port: 6432,
    msg: "listening\nforged",
  });
});

test("levels below the one asked for are dropped", () => {
  const { log, lines } = captured("warn");
  log.info("no");
  log.warn("yes");
  expect(lines).toHaveLength(1);
});

test("secrets and statements do not reach the log, at the top or one level down", () => {
  const { log, lines } = captured();
  const secret = "hunter2";
  log.info({ password: secret, login: { password: secret, token: secret }, verifier: secret }, "a");
  log.info({ sql: secret, statement: { text: secret, query: secret, parameters: [secret] } }, "b");
  expect(lines.join("")).not.toContain(secret);
  expect(lines.join("")).toContain("[redacted]");
});

test("an error is told without the row, the statement or the connection's password that it carries", () => {
  const { log, lines } = captured();
  const cause = Object.assign(new Error("could not connect to postgres://login:hunter2@db:5432/shop"), {
    code: "ECONNREFUSED",
  });
  const error = Object.assign(new Error("duplicate key", { cause }), {
    code: "23505",
    detail: "Key (email)=(hunter2) already exists",
    where: "hunter2",
    internalQuery: "hunter2",
    query: "hunter2",
    parameters: ["hunter2"],
  });
  log.error({ err: error }, "failed");
  log.error(error);
  expect(lines.join("")).not.toContain("hunter2");
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    err: {
      type: "Error",
      message: "duplicate key",
      code: "23505",
      cause: { code: "ECONNREFUSED", message: "could not connect to postgres://[redacted]@db:5432/shop" },
    },
  });
});

test("what is thrown and is no error is told, and a ring of causes ends", () => {
  const { log, lines } = captured();
  const error = new Error("ring");
  error.cause = error;
  log.error({ err: "thrown text" }, "a");
  log.error({ err: error }, "b");
  expect(lines).toHaveLength(2);
  expect(lines[0]).toContain("thrown text");
});
