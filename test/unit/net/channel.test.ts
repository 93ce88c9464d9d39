import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type Channel, type ChannelEvents, openChannel } from "../../../src/net/channel.ts";
import { acceptTls, loadTlsServer } from "../../../src/net/tls.ts";
import { ecdsaSha256 } from "./certificates.ts";
import { socketPair, until } from "./socket-pair.ts";

const opened: { ours: Socket; peer: Socket }[] = [];
afterEach(() => {
  // Outer sockets first: see destroyTogether in tls.ts.
  for (const { ours, peer } of opened.splice(0).toReversed()) {
    ours.destroy();
    peer.destroy();
  }
  vi.useRealTimers();
});

async function plain(): Promise<{ ours: Socket; peer: Socket }> {
  const pair = await socketPair({ allowHalfOpen: true });
  opened.push(pair);
  return pair;
}

async function encrypted(): Promise<{ ours: Socket; peer: Socket }> {
  const { ours, peer } = await plain();
  const server = loadTlsServer(ecdsaSha256);
  const client = connectTls({ socket: peer, rejectUnauthorized: false });
  client.on("error", () => undefined);
  const [secured] = await Promise.all([acceptTls(ours, server), once(client, "secureConnect")]);
  opened.push({ ours: secured, peer: client });
  return { ours: secured, peer: client };
}

type Seen = { bytes: Buffer[]; drains: number; closes: (Error | undefined)[] };

function watch(
  socket: Socket,
  onData?: (chunk: Buffer, seen: Seen) => boolean,
): { channel: Channel; seen: Seen } {
  const seen: Seen = { bytes: [], drains: 0, closes: [] };
  const events: ChannelEvents = {
    onData(chunk) {
      if (onData) return onData(chunk, seen);
      seen.bytes.push(Buffer.from(chunk));
      return false;
    },
    onDrain: () => seen.drains++,
    onClose: (error) => seen.closes.push(error),
  };
  return { channel: openChannel(socket, events), seen };
}

const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
const total = (seen: Seen) => seen.bytes.reduce((sum, { length }) => sum + length, 0);
const big = randomBytes(4 * 1024 * 1024);

describe.each([
  ["plain", plain],
  ["encrypted", encrypted],
])("a channel over a %s socket", (kind, pair) => {
  test("gives the peer's bytes in order", async () => {
    const { ours, peer } = await pair();
    const { seen } = watch(ours);
    for (let at = 0; at < big.length; at += 70_001) peer.write(big.subarray(at, at + 70_001));
    await until(() => total(seen) === big.length, "all bytes have arrived");
    expect(digest(Buffer.concat(seen.bytes))).toBe(digest(big));
  });

  test("leaves a kept chunk alone while it reads on", async () => {
    const { ours, peer } = await pair();
    const { seen } = watch(ours, (chunk, seen) => {
      seen.bytes.push(chunk);
      return true;
    });
    peer.write(big);
    await until(() => total(seen) === big.length, "all bytes have arrived");
    expect(digest(Buffer.concat(seen.bytes))).toBe(digest(big));
  });

  test("relays chunks that it retains or not, to a reader that stops and goes", async () => {
    const { ours: source, peer: writer } = await pair();
    const { ours: sink, peer: reader } = await pair();
    const received: Buffer[] = [];
    reader.on("data", (chunk: Buffer) => {
      received.push(chunk);
      reader.pause();
      setTimeout(() => reader.resume(), 1);
    });
    const from: { channel?: Channel } = {};
    const to = openChannel(sink, {
      onData: () => false,
      onDrain: () => from.channel?.resume(),
      onClose: () => undefined,
    });
    from.channel = openChannel(source, {
      onData(chunk) {
        // In many small pieces, as with rewritten messages between others.
        let takesMore = true;
        for (let at = 0; at < chunk.length; at += 5000) takesMore = to.write(chunk.subarray(at, at + 5000));
        if (!takesMore) from.channel?.pause();
        return to.retains;
      },
      onDrain: () => undefined,
      onClose: () => undefined,
    });
    writer.write(big);
    const size = () => received.reduce((sum, { length }) => sum + length, 0);
    await until(() => size() === big.length, "all bytes have arrived");
    expect(digest(Buffer.concat(received))).toBe(digest(big));
  });

  test("says when the peer is slow, and when it takes more", async () => {
    const { ours, peer } = await pair();
    const { channel, seen } = watch(ours);
    peer.pause();
    while (channel.write(big.subarray(0, 60_000)));
    expect(channel.retains).toBe(true);
    expect(seen.drains).toBe(0);
    peer.on("data", () => undefined);
    peer.resume();
    await until(() => seen.drains === 1, "the channel drains");
    await until(() => !channel.retains, "nothing is retained");
  });

  test("gives nothing while it is paused", async () => {
    const { ours, peer } = await pair();
    const { channel, seen } = watch(ours);
    channel.pause();
    peer.write("one");
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(seen.bytes).toEqual([]);
    channel.resume();
    await until(() => total(seen) === 3, "the bytes have arrived");
  });

  test("paused in the middle of a stream gives no more than was on its way", async () => {
    const { ours, peer } = await pair();
    const state: { channel?: Channel; calls: number } = { calls: 0 };
    const { channel } = watch(ours, () => {
      state.calls++;
      state.channel?.pause();
      return false;
    });
    state.channel = channel;
    peer.write(big);
    await until(() => state.calls === 1, "the first chunk has arrived");
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(state.calls).toBe(1);
  });

  test("ends with the last bytes, also when the peer goes on sending", async () => {
    const { ours, peer } = await pair();
    const received: Buffer[] = [];
    peer.on("data", (chunk: Buffer) => received.push(chunk));
    const { channel, seen } = watch(ours, (_, seen) => {
      channel.write(big);
      channel.end(Buffer.from("last"));
      channel.write(Buffer.from("too late"));
      seen.bytes.push(Buffer.alloc(0));
      return false;
    });
    peer.write("begin");
    peer.write(big);
    await once(peer, "end");
    expect(digest(Buffer.concat(received))).toBe(digest(Buffer.concat([big, Buffer.from("last")])));
    expect(seen.bytes.length).toBe(1);
    peer.end();
    await until(() => seen.closes.length > 0, "the channel is closed");
    expect(seen.closes).toEqual([undefined]);
  });

  test("is closed once by destroy, and silent from then on", async () => {
    const { ours, peer } = await pair();
    const { channel, seen } = watch(ours);
    channel.destroy();
    channel.destroy();
    expect(channel.write(Buffer.from("x"))).toBe(true);
    channel.end(Buffer.from("x"));
    channel.pause();
    channel.resume();
    peer.write("x");
    await until(() => seen.closes.length > 0, "the channel is closed");
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(seen).toEqual({ bytes: [], drains: 0, closes: [undefined] });
  });

  test("is closed when the peer closes its side", async () => {
    const { ours, peer } = await pair();
    const { seen } = watch(ours);
    peer.end("bye");
    await until(() => seen.closes.length > 0, "the channel is closed");
    expect(Buffer.concat(seen.bytes).toString()).toBe("bye");
    expect(seen.closes).toEqual([undefined]);
  });

  test("is closed with what onData threw, and the process goes on", async () => {
    const { ours, peer } = await pair();
    const fault = new Error("unexpected");
    const { seen } = watch(ours, () => {
      throw fault;
    });
    peer.write("x");
    await until(() => seen.closes.length > 0, "the channel is closed");
    expect(seen.closes).toEqual([fault]);
  });

  test("knows whether it is encrypted", async () => {
    const { ours, peer } = await pair();
    const { channel } = watch(ours);
    expect(channel.encrypted).toBe(kind === "encrypted");
    peer.destroy();
  });
});

test("a channel gives first what was read before it was opened", async () => {
  const { ours, peer } = await plain();
  peer.write("startup");
  const [first] = (await once(ours, "data")) as [Buffer];
  ours.pause();
  ours.removeAllListeners("data");
  ours.unshift(first.subarray(4));
  const { channel, seen } = watch(ours);
  channel.pause();
  peer.write("-more");
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(seen.bytes).toEqual([]);
  channel.resume();
  await until(() => total(seen) === 8, "all bytes have arrived");
  expect(Buffer.concat(seen.bytes).toString()).toBe("tup-more");
});

test("a channel on a socket that is closed already says so", async () => {
  const { ours } = await plain();
  ours.destroy();
  await once(ours, "close");
  const { seen } = watch(ours);
  await until(() => seen.closes.length > 0, "the channel is closed");
  expect(seen.closes).toEqual([undefined]);
});

test("a channel tells of a reset", async () => {
  const { ours, peer } = await plain();
  const { seen } = watch(ours);
  peer.resetAndDestroy();
  await until(() => seen.closes.length > 0, "the channel is closed");
  expect(seen.closes).toMatchObject([{ code: "ECONNRESET" }]);
});

test("a plain channel reads into the same memory over and over, an empty one too", async () => {
  const { ours, peer } = await plain();
  const memory = new Set<ArrayBufferLike>();
  const { seen } = watch(ours, (chunk, seen) => {
    memory.add(chunk.buffer);
    seen.bytes.push(Buffer.from(chunk));
    return false;
  });
  for (let round = 1; round <= 5; round++) {
    peer.write("round");
    await until(() => total(seen) === 5 * round, "the round has arrived");
  }
  expect(memory.size).toBe(1);
});

test("small writes to a stalled peer do not hold the buffer that they came in", async () => {
  const { ours, peer } = await plain();
  const { channel } = watch(ours);
  peer.pause();
  while (channel.write(big.subarray(0, 60_000)));
  const buffer = Buffer.from("small ".repeat(10));
  channel.write(buffer);
  buffer.fill("!");
  const received: Buffer[] = [];
  peer.on("data", (chunk: Buffer) => received.push(chunk));
  peer.resume();
  await until(() => !channel.retains && ours.writableLength === 0, "all is written");
  await until(() => Buffer.concat(received).length % 60_000 === buffer.length, "all has arrived");
  expect(Buffer.concat(received).subarray(-buffer.length).toString()).toBe("small ".repeat(10));
});

test("a peer that never closes its side is cut off at the deadline", async () => {
  const { ours } = await plain();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { channel, seen } = watch(ours);
  channel.end(Buffer.from("bye"));
  vi.advanceTimersByTime(4_999);
  expect(ours.destroyed).toBe(false);
  vi.advanceTimersByTime(1);
  expect(ours.destroyed).toBe(true);
  vi.useRealTimers();
  await until(() => seen.closes.length > 0, "the channel is closed");
  expect(seen.closes).toEqual([undefined]);
});
