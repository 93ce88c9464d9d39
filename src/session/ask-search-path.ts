import { RolegateError } from "../errors.ts";
import type { UpstreamConnection } from "../upstream/connection.ts";
import { frameTable } from "../wire/frame-table.ts";
import { FrameReader, Step } from "../wire/frames.ts";
import { query } from "../wire/frontend-rewrite.ts";
import { backendLimits } from "../wire/limits.ts";
import { BodyReader } from "../wire/reader.ts";

const table = frameTable(backendLimits, {
  T: { whole: 65_535 },
  D: { whole: 65_535 },
  C: { whole: backendLimits.C },
  Z: { whole: backendLimits.Z },
  S: { whole: backendLimits.S },
  N: { whole: 65_535 },
});

const question = query("SHOW search_path");

/**
 * The search_path of a fresh connection to a server that does not report it (below version 18).
 * @param deadline milliseconds
 * @throws RolegateError upstream_unavailable; the connection is closed then
 */
export function askSearchPath(connection: UpstreamConnection, deadline: number): Promise<string> {
  const { socket } = connection;
  return new Promise((resolve, reject) => {
    const reader = new FrameReader(table);
    let answer: string | undefined;
    const stop = (): void => {
      clearTimeout(timer);
      socket.pause();
      socket.off("data", onData);
      socket.off("close", fail);
    };
    const fail = (): void => {
      stop();
      connection.close();
      reject(new RolegateError({ code: "upstream_unavailable", message: "the database is not available" }));
    };
    const onData = (chunk: Buffer): void => {
      try {
        reader.feed(chunk);
        for (let step = reader.next(); step !== Step.end; step = reader.next()) {
          if (step !== Step.frame || reader.rest > 0) return fail();
          if (reader.type === 0x44) answer = firstColumn(reader);
          if (reader.type !== 0x5a) continue;
          if (answer === undefined) return fail();
          stop();
          return resolve(answer);
        }
      } catch {
        return fail();
      }
      return undefined;
    };
    const timer = setTimeout(fail, deadline);
    socket.on("data", onData);
    socket.once("close", fail);
    socket.write(question);
    socket.resume();
  });
}

function firstColumn({ buffer, start, end }: FrameReader): string | undefined {
  const row = new BodyReader(buffer, start, end);
  return row.uint16() === 1 ? row.value()?.toString("utf8") : undefined;
}
