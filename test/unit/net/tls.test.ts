import { once } from "node:events";
import type { Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import { acceptTls, loadTlsServer } from "../../../src/net/tls.ts";
import * as certificates from "./certificates.ts";
import { socketPair } from "./socket-pair.ts";

const server = loadTlsServer(certificates.ecdsaSha256);
const opened: Socket[] = [];
afterEach(() => {
  for (const socket of opened.splice(0).toReversed()) socket.destroy();
});

async function pair(): Promise<{ ours: Socket; peer: Socket }> {
  const { ours, peer } = await socketPair();
  opened.push(ours, peer);
  ours.on("error", () => undefined);
  return { ours, peer };
}

function client(socket: Socket, options: ConnectionOptions = {}): TLSSocket {
  const secured = connectTls({ socket, rejectUnauthorized: false, ...options });
  secured.on("error", () => undefined);
  opened.push(secured);
  return secured;
}

/** The first bytes that arrive, taken out of the socket as a handshake takes them. */
async function firstBytes(socket: Socket): Promise<Buffer> {
  const [first] = (await once(socket, "data")) as [Buffer];
  socket.pause();
  socket.removeAllListeners("data");
  return first;
}

const echo = async (from: Socket, to: Socket) => {
  from.write("hello");
  const [bytes] = (await once(to, "data")) as [Buffer];
  return bytes.toString();
};

describe("TLS after SSLRequest", () => {
  test("works with a client that names no protocol", async () => {
    const { ours, peer } = await pair();
    const accepting = acceptTls(ours, server);
    const theirs = client(peer);
    const secured = await accepting;
    expect(secured.encrypted).toBe(true);
    expect(secured.getProtocol()).toBe("TLSv1.3");
    expect(await echo(theirs, secured)).toBe("hello");
    expect(await echo(secured, theirs)).toBe("hello");
  });

  test("is dropped if bytes were read before it", async () => {
    const { ours, peer } = await pair();
    peer.write("SSLREQ+smuggled");
    const first = await firstBytes(ours);
    ours.unshift(first.subarray(6));
    await expect(acceptTls(ours, server)).rejects.toThrow(/unencrypted data/);
    expect(ours.destroyed).toBe(true);
  });

  test("fails for a client that names another protocol", async () => {
    const { ours, peer } = await pair();
    const accepting = acceptTls(ours, server);
    client(peer, { ALPNProtocols: ["h2"] });
    await expect(accepting).rejects.toThrow(/handshake/);
    expect(ours.destroyed).toBe(true);
  });

  test("fails for TLS 1.1", async () => {
    const { ours, peer } = await pair();
    const accepting = acceptTls(ours, server);
    client(peer, { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" });
    await expect(accepting).rejects.toThrow(/handshake/);
  });

  test("fails for a client that speaks no TLS", async () => {
    const { ours, peer } = await pair();
    const accepting = acceptTls(ours, server);
    peer.write("\0\0\0\x08\x04\xd2\x16\x2f".repeat(10));
    await expect(accepting).rejects.toThrow(/handshake/);
    expect(ours.destroyed).toBe(true);
  });

  test("fails for a client that goes away", async () => {
    const { ours, peer } = await pair();
    const accepting = acceptTls(ours, server);
    peer.destroy();
    await expect(accepting).rejects.toThrow(/handshake/);
  });

  test("ends when the socket is destroyed by a deadline", async () => {
    const { ours } = await pair();
    const accepting = acceptTls(ours, server);
    ours.destroy();
    ours.destroy();
    await expect(accepting).rejects.toThrow(/handshake/);
  });

  test("survives both of its sockets being destroyed at once", async () => {
    for (let round = 0; round < 20; round++) {
      const { ours, peer } = await pair();
      const accepting = acceptTls(ours, server);
      client(peer);
      const secured = await accepting;
      peer.resetAndDestroy();
      ours.destroy();
      secured.destroy();
      await once(ours, "close");
      expect(secured.destroyed).toBe(true);
    }
  });
});

describe("direct TLS", () => {
  test("works with a client that names the protocol", async () => {
    const { ours, peer } = await pair();
    const theirs = client(peer, { ALPNProtocols: ["postgresql"] });
    const secured = await acceptTls(ours, server, await firstBytes(ours));
    expect(secured.alpnProtocol).toBe("postgresql");
    expect(await echo(theirs, secured)).toBe("hello");
  });

  test("fails for a client that does not name the protocol", async () => {
    const { ours, peer } = await pair();
    client(peer);
    await expect(acceptTls(ours, server, await firstBytes(ours))).rejects.toThrow(/without ALPN/);
    expect(ours.destroyed).toBe(true);
  });
});

describe("the certificate's hash for channel binding", () => {
  test.each(Object.entries(certificates))("of %s is that of its signature's algorithm", (_, certificate) => {
    expect(loadTlsServer(certificate).certificateHash?.toString("hex")).toBe(certificate.hash);
  });

  test("does not exist for Ed25519", () => {
    expect(loadTlsServer(certificates.ed25519).certificateHash).toBeUndefined();
  });
});

test("a key of another certificate is refused", () => {
  const { certificate } = certificates.ecdsaSha256;
  expect(() => loadTlsServer({ certificate, key: certificates.ecdsaSha384.key })).toThrow(
    /key values mismatch/,
  );
});
