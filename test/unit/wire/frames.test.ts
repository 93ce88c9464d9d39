import { describe, expect, test } from "vitest";
import { frameTable } from "../../../src/wire/frame-table.ts";
import { FrameReader, Step } from "../../../src/wire/frames.ts";
import { backendLimits, frontendLimits } from "../../../src/wire/limits.ts";

const client = frameTable(frontendLimits, { Q: { whole: 1000 }, B: { head: 20 }, S: { head: 5 }, d: "pass" });

function header(type: string, length: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.write(type, "latin1");
  bytes.writeUInt32BE(length >>> 0, 1);
  return bytes;
}

function read(reader: FrameReader, chunk: Buffer): string[] {
  const steps: string[] = [];
  reader.feed(chunk);
  for (let step = reader.next(); step !== Step.end; step = reader.next()) {
    const name = ["end", "run", "frame", "rest"][step]!;
    steps.push(`${name} ${reader.start}-${reader.end}${step === Step.run ? "" : ` rest ${reader.rest}`}`);
  }
  return steps;
}

describe("a length", () => {
  test.each([
    ["0", 0],
    ["3, less than itself", 3],
    ["2^31", 0x80000000],
    ["2^32 - 1", 0xffffffff],
    ["a gigabyte", 0x40000000],
  ])("of %s is refused, in one piece and byte by byte", (_, length) => {
    expect(() => read(new FrameReader(client), header("Q", length))).toThrow(
      /invalid length of a message of type 81/,
    );
    const reader = new FrameReader(client);
    const bytes = [...header("Q", length)].map((byte) => Buffer.of(byte));
    for (const byte of bytes.slice(0, 4)) expect(read(reader, byte)).toEqual([]);
    expect(() => read(reader, bytes[4]!)).toThrow(/invalid length/);
    expect(() => reader.next()).toThrow(/invalid length/);
  });

  test("above the type's own limit is refused", () => {
    const table = frameTable(backendLimits, { Z: "pass" });
    expect(read(new FrameReader(table), Buffer.concat([header("Z", 5), Buffer.from("I")]))).toEqual([
      "run 0-6",
    ]);
    expect(() => read(new FrameReader(table), header("Z", 6))).toThrow(/invalid length/);
  });
});

test("a type that the table does not name is refused, by number", () => {
  expect(() => read(new FrameReader(client), header("p", 4))).toThrow("message type 112 is not allowed here");
  expect(() => read(new FrameReader(client), Buffer.from("GET / HTTP/1.1\r\n"))).toThrow("message type 71");
});

test("what stands before a violation is reported first", () => {
  const reader = new FrameReader(client);
  reader.feed(Buffer.concat([header("d", 4), header("d", 4), header("!", 4)]));
  expect(reader.next()).toBe(Step.run);
  expect([reader.start, reader.end]).toEqual([0, 10]);
  expect(() => reader.next()).toThrow(/not allowed/);
});

test("many passed-over messages are one run, and a message between them is found", () => {
  const chunk = Buffer.concat([header("d", 4), header("d", 4), header("S", 4), header("d", 4)]);
  expect(read(new FrameReader(client), chunk)).toEqual(["run 0-10", "frame 10-15 rest 0", "run 15-20"]);
});

test("a message of a gigabyte is streamed, and nothing of it is kept", () => {
  const reader = new FrameReader(client);
  const chunk = Buffer.alloc(65_536);
  expect(read(reader, header("d", 4 + 2 ** 30 - 10))).toEqual(["run 0-5"]);
  let bytes = 0;
  for (; bytes + chunk.length <= 2 ** 30 - 10; bytes += chunk.length) {
    reader.feed(chunk);
    if (reader.next() !== Step.run || reader.next() !== Step.end) throw new Error("not streamed");
  }
  expect(reader.inMessage).toBe(true);
  const last = Buffer.concat([Buffer.alloc(2 ** 30 - 10 - bytes), header("S", 4)]);
  expect(read(reader, last)).toEqual([
    `run 0-${last.length - 5}`,
    `frame ${last.length - 5}-${last.length} rest 0`,
  ]);
  expect(reader.inMessage).toBe(false);
});

test("a message longer than what is gathered comes with its beginning, then streamed", () => {
  const reader = new FrameReader(client);
  expect(read(reader, Buffer.concat([header("Q", 1999), Buffer.alloc(500)]))).toEqual([]);
  expect(reader.heldBytes).toBe(505);
  expect(reader.inMessage).toBe(false);
  expect(read(reader, Buffer.alloc(600))).toEqual(["frame 0-1000 rest 1000", "rest 495-600 rest 895"]);
  expect(reader.inMessage).toBe(true);
  expect(read(reader, Buffer.alloc(895))).toEqual(["rest 0-895 rest 0"]);
});

test("the claim of a long message allocates nothing like it", () => {
  const table = frameTable(frontendLimits, { Q: { whole: 512 * 1024 * 1024 } });
  const readers = Array.from({ length: 50 }, () => new FrameReader(table));
  const before = process.memoryUsage().arrayBuffers;
  for (const reader of readers)
    read(reader, Buffer.concat([header("Q", 500_000_000), Buffer.from("select")]));
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50 * 200_000);
});

test("a message in place is a view of the chunk; one that was split is a buffer of its own", () => {
  const reader = new FrameReader(client);
  const chunk = Buffer.concat([header("Q", 8), Buffer.from("abc\0"), header("Q", 8)]);
  reader.feed(chunk);
  reader.next();
  expect(reader.buffer).toBe(chunk);
  expect(reader.next()).toBe(Step.end);
  chunk.fill(0);
  reader.feed(Buffer.from("def\0"));
  reader.next();
  expect(reader.buffer.toString("latin1", reader.start, reader.end)).toBe("Q\0\0\0\bdef\0");
});

test("another table applies from the next message on", () => {
  const reader = new FrameReader(client);
  reader.feed(Buffer.concat([header("S", 4), header("d", 4), header("S", 4)]));
  reader.next();
  reader.table = frameTable(frontendLimits, { d: { head: 5 } });
  expect(reader.next()).toBe(Step.frame);
  expect(String.fromCharCode(reader.type)).toBe("d");
  expect(() => reader.next()).toThrow("message type 83 is not allowed here");
});

test("a chunk must be used up before the next", () => {
  const reader = new FrameReader(client);
  reader.feed(header("S", 4));
  expect(() => reader.feed(header("S", 4))).toThrow(TypeError);
});

test("a table names only types that have a limit", () => {
  expect(() => frameTable<string>(frontendLimits, { Z: "pass" })).toThrow(TypeError);
});

test("what is not reported can be taken back, wherever the chunks end", () => {
  const bytes = Buffer.concat([header("S", 4), header("Q", 8), Buffer.from("abc\0"), header("S", 4)]);
  for (let cut = 5; cut <= bytes.length; cut++) {
    const reader = new FrameReader(client);
    reader.feed(bytes.subarray(0, cut));
    expect(reader.next()).toBe(Step.frame);
    expect(reader.unread()).toEqual(bytes.subarray(5, cut));
    expect(reader.next()).toBe(Step.end);
    // The same where the end of what has come was looked at.
    const other = new FrameReader(client);
    expect(read(other, bytes.subarray(0, 3))).toEqual([]);
    other.feed(bytes.subarray(3, cut));
    expect(other.unread()).toEqual(bytes.subarray(0, cut));
  }
});
