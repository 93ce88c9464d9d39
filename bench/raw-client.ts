import type { Socket } from "node:net";
import { Client } from "pg";
import { message, text } from "../src/wire/writer.ts";
import type { Target } from "./target.ts";

/** A logged-in connection on which messages are sent and counted, not read. */
export type RawClient = {
  /** Runs a simple query. @returns the bytes of its answer */
  answer(sql: string): Promise<number>;
  close(): void;
};

/** Logs in with node-postgres and takes its socket. */
export async function connectRaw({
  port,
  user,
  password,
  database,
}: Omit<Target, "name" | "pid">): Promise<RawClient> {
  const client = new Client({ host: "127.0.0.1", port, user, password, database });
  await client.connect();
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
  for (const event of ["data", "error", "close", "end"]) stream.removeAllListeners(event);
  stream.on("error", () => {});
  return {
    answer: (sql) =>
      new Promise((resolve, reject) => {
        let received = 0;
        let tail: Buffer = Buffer.alloc(0);
        stream.once("close", () => reject(new Error("the connection was closed")));
        stream.on("data", (chunk: Buffer) => {
          received += chunk.length;
          tail = chunk.length >= 6 ? chunk.subarray(-6) : Buffer.concat([tail, chunk]).subarray(-6);
          // ReadyForQuery, outside of a transaction: nothing comes behind it.
          if (!tail.equals(readyForQuery)) return;
          stream.removeAllListeners("data");
          stream.removeAllListeners("close");
          resolve(received);
        });
        stream.write(message("Q", text(sql, "sql")));
      }),
    close: () => stream.destroy(),
  };
}

const readyForQuery = Buffer.from("Z\0\0\0\x05I", "latin1");
