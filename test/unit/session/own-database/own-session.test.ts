import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Recorder } from "../../../../src/audit/recorder.ts";
import { createLogger } from "../../../../src/log.ts";
import type { Channel } from "../../../../src/net/channel.ts";
import { OwnSession } from "../../../../src/session/own-database/own-session.ts";
import { trace } from "../../../../src/wire/trace.ts";
import { message, text } from "../../../../src/wire/writer.ts";
import { person } from "../../access/asked.ts";
import { sessionFacts } from "../../audit/facts.ts";
import { temporaryDirectory } from "../../audit/record-directory.ts";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] }));
afterEach(() => vi.useRealTimers());

/** A session whose client is this test. */
function begin(expiresAt?: number) {
  const log = createLogger("silent");
  const recorder = Recorder.open({ directory: temporaryDirectory(), log });
  const said: Buffer[] = [];
  const channel: Channel = {
    write: (bytes) => said.push(Buffer.from(bytes)) > 0,
    retains: false,
    release: () => {},
    pause: () => {},
    resume: () => {},
    end: (last) => void said.push(Buffer.from(last ?? [])),
    destroy: () => {},
    encrypted: false,
  };
  const identity = person("alice", [], { expiresAt });
  const ended = vi.fn<(reason: string) => void>();
  const session = new OwnSession(
    {
      id: "1",
      identity,
      connection: { address: "127.0.0.1", tls: false, database: "rolegate", applicationName: "" },
      client: "127.0.0.1:1",
      record: recorder.openSession(sessionFacts()),
      recorder,
      log,
      requests: undefined,
    },
    channel,
    ended,
  );
  return { session, ended, lines: () => trace(Buffer.concat(said), "server") };
}

const query = (sql: string) => message("Q", text(sql, "sql"));

test("a client that says nothing for ten minutes is let go, and one that speaks is not", async () => {
  const { session, ended, lines } = begin();
  for (let minutes = 0; minutes < 30; minutes += 9) {
    vi.advanceTimersByTime(9 * 60_000);
    session.onData(query("SHOW IDENTITY"));
    await vi.waitFor(() => expect(lines().at(-1)).toBe("ReadyForQuery I"));
  }
  expect(ended).not.toHaveBeenCalled();
  vi.advanceTimersByTime(10 * 60_000);
  expect(ended).toHaveBeenCalledOnce();
  expect(lines().at(-1)).toContain("57P01");
});

test("it ends with the token that opened it", () => {
  const { ended, lines } = begin(Date.now() + 5000);
  vi.advanceTimersByTime(4999);
  expect(ended).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(ended).toHaveBeenCalledWith("the token that opened the session has expired");
  expect(lines().at(-1)).toContain("57P01");
});

test("what is said at once is answered in order, and nothing behind a Terminate", async () => {
  const { session, ended, lines } = begin();
  session.onData(Buffer.concat([query("SHOW IDENTITY"), query("SELECT 1")]));
  session.onData(Buffer.concat([message("X"), query("SHOW IDENTITY")]));
  await vi.waitFor(() => expect(ended).toHaveBeenCalledWith("client said goodbye"));
  expect(lines().map((line) => line.split(" ")[0])).toEqual([
    "RowDescription",
    "DataRow",
    "CommandComplete",
    "ReadyForQuery",
    "ErrorResponse",
    "ReadyForQuery",
  ]);
});
