import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { say } from "./raw-connection.ts";
import { userPassword, writeProxyFiles } from "./running-proxy.ts";
import { serve } from "./served-proxy.ts";

let database: TestDatabase;
let directory: string;
let proxy: ChildProcess;
let port: number;

beforeAll(async () => {
  database = await createTestDatabase({ sql: "create table sink (line text)" });
  directory = await writeProxyFiles({
    database,
    roles: {
      bulk_tester: {
        file: { tables: { sink: { insert: "all" } } },
        grants: "grant insert on sink to bulk_tester",
      },
    },
    users: { alice: {} },
  });
  // In a process of its own: its memory is what is measured.
  ({ process: proxy, port } = await serve(directory));
  await settled();
});
afterAll(async () => {
  proxy?.kill("SIGKILL");
  await database?.close();
  rmSync(directory, { recursive: true });
});

const megabyte = 1024 * 1024;

/** Resident memory of the proxy, in bytes. */
function memory(): number {
  const status = readFileSync(`/proc/${proxy.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1024;
}

/** V8 compiles the grammar anew once it has been used a while, which takes some 500 MB for a second or two. */
async function settled(): Promise<void> {
  const socket = await connect();
  socket.resume();
  for (let [calm, text, before] = [0, 0, memory()]; calm < 8; before = memory()) {
    for (let n = 0; n < 100; n++) socket.write(say.query(`select ${text++}, 'some text', array[1, 2, 3]`));
    await sleep(250);
    calm = Math.abs(memory() - before) < 2 * megabyte ? calm + 1 : 0;
  }
  socket.destroy();
}

async function connect(): Promise<Socket> {
  const client = new Client({
    host: "127.0.0.1",
    port,
    user: "alice",
    password: userPassword,
    database: database.name,
  });
  await client.connect();
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
  for (const event of ["data", "error", "close", "end"]) stream.removeAllListeners(event);
  stream.on("error", () => {});
  stream.setMaxListeners(0);
  return stream;
}

/** Reads until `bytes` have come, stopping for a moment behind every `every` bytes. Gives the peak of the proxy's memory. */
async function readSlowly(
  socket: Socket,
  bytes: number,
  every: number,
): Promise<{ read: number; peak: number }> {
  let [read, pause, peak] = [0, every, 0];
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    read += chunk.length;
    if (read >= bytes) break;
    if (read < pause) continue;
    pause += every;
    peak = Math.max(peak, memory());
    await sleep(5);
  }
  return { read, peak };
}

// A thousand bytes a row, a million rows.
const rows = "select repeat('x', 1000) from generate_series(1, 1000000)";
const gigabyte = 1_000_000_000;

describe("a gigabyte to a slow reader takes no memory of the proxy", () => {
  test.for([
    ["COPY … TO STDOUT", [say.query(`copy (${rows}) to stdout`)]],
    ["SELECT, simple", [say.query(rows)]],
    ["SELECT, extended", [say.parse("", rows), say.bind("", ""), say.execute(""), say.sync]],
  ] as const)("%s", async ([, messages]) => {
    const socket = await connect();
    const warm = memory();
    socket.write(Buffer.concat(messages));
    const { read, peak } = await readSlowly(socket, gigabyte, 4 * megabyte);
    socket.destroy();
    expect(read).toBeGreaterThanOrEqual(gigabyte);
    expect(peak - warm).toBeLessThan(64 * megabyte);
  });
});

test("a client that sends and sends without reading is slowed down, not stored", async () => {
  const socket = await connect();
  socket.pause();
  const warm = memory();
  const batch = Buffer.concat(
    Array.from({ length: 2_000 }, (_, n) => [
      say.parse("", `select ${n % 50}, repeat('y', 500)`),
      say.bind("", ""),
      say.execute(""),
      say.sync,
    ]).flat(),
  );
  let [peak, sent] = [0, 0];
  for (; sent < 200; sent++) {
    if (!socket.write(batch)) await Promise.race([once(socket, "drain"), sleep(100)]);
    if (socket.writableLength > 4 * megabyte) break;
  }
  for (let look = 0; look < 10; look++) {
    peak = Math.max(peak, memory());
    await sleep(50);
  }
  expect(sent).toBeLessThan(200);
  expect(peak - warm).toBeLessThan(64 * megabyte);
  socket.destroy();
});

test("large messages stream through: CopyData of 200 MB in one message", async () => {
  const socket = await connect();
  const warm = memory();
  socket.write(say.query("copy sink from stdin with (format binary)"));
  await once(socket, "data");
  const line = Buffer.alloc(64 * 1024, "z");
  const head = Buffer.alloc(5);
  head[0] = 0x64;
  head.writeUInt32BE(4 + 200 * megabyte, 1);
  socket.write(head);
  let peak = 0;
  for (let sent = 0; sent < 200 * megabyte; sent += line.length) {
    if (!socket.write(line)) await once(socket, "drain");
    if (sent % megabyte === 0) peak = Math.max(peak, memory());
  }
  expect(peak - warm).toBeLessThan(64 * megabyte);
  socket.destroy();
});
