import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readInPlace } from "../../../src/net/read-in-place.ts";
import { socketPair, until } from "./socket-pair.ts";

// These hold the fields of node:net that readInPlace sets to what it expects of them: with another Node they fail,
// where the proxy itself would only fall back to slower reads.
describe("reading in place", () => {
  test.each(["accepted", "connected"])("works on a socket that was %s", async (which) => {
    const { ours, peer } = await socketPair();
    const [reader, writer] = which === "accepted" ? [ours, peer] : [peer, ours];
    expect(await relay(reader, writer)).toEqual(relayed);
  });

  test("works on a Unix socket", async () => {
    const directory = mkdtempSync(join(tmpdir(), "rolegate-"));
    const server = createServer();
    server.listen(join(directory, "socket"));
    await once(server, "listening");
    const writer = connect(join(directory, "socket"));
    const [reader] = (await once(server, "connection")) as [Socket];
    server.close();
    expect(await relay(reader, writer)).toEqual(relayed);
    rmSync(directory, { recursive: true });
  });

  test("is refused for a socket that is closed, not connected yet, or read in place already", async () => {
    const { ours, peer } = await socketPair();
    expect(readInPlace(ours, () => false)).toBe(true);
    expect(readInPlace(ours, () => false)).toBe(false);
    ours.destroy();
    expect(readInPlace(ours, () => false)).toBe(false);
    const connecting = connect(1, "127.0.0.1");
    connecting.on("error", () => undefined);
    expect(readInPlace(connecting, () => false)).toBe(false);
    peer.destroy();
  });
});

// The first was overwritten by the second, which was kept, so that the third went elsewhere.
const relayed = { inPlace: true, words: ["two", "two", "three"], buffers: 2 };

async function relay(reader: Socket, writer: Socket): Promise<typeof relayed> {
  const seen: Buffer[] = [];
  const memory = new Set<ArrayBufferLike>();
  let keep = false;
  const inPlace = readInPlace(reader, (chunk) => {
    seen.push(chunk);
    memory.add(chunk.buffer);
    return keep;
  });
  reader.resume();
  for (const word of ["one", "two", "three"]) {
    keep = word === "two";
    writer.write(word);
    await until(() => seen.at(-1)?.toString() === word, `${word} has arrived`);
  }
  writer.end();
  await once(reader, "close");
  return { inPlace, words: seen.map(String), buffers: memory.size };
}
