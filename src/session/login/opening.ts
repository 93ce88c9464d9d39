import { isIPv6, type Socket, SocketAddress } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Problem } from "../../errors.ts";
import type { ClientCertificate } from "../../identity/client-certificate.ts";
import { acceptTls, type TlsServer } from "../../net/tls.ts";
import { shownCertificate } from "../../net/shown-certificate.ts";
import { errorResponse } from "../../wire/error-fields.ts";
import { readProxyHeader, type ProxyHeader } from "../../wire/proxy-header.ts";
import { readStartupPacket, type StartupPacket } from "../../wire/startup.ts";

export type Startup = Extract<StartupPacket, { kind: "startup" }>;

/** What a connection turned out to be. */
export type Opening =
  /** Logs in. `socket` is the one to go on with: inside TLS if there is any. Nothing reads from it. */
  | {
      readonly kind: "startup";
      readonly socket: Socket;
      /** What the client was shown over TLS; undefined: it came without. */
      readonly tls: TlsServer | undefined;
      readonly clientCertificate: ClientCertificate;
      readonly client: ClientAddress;
      readonly startup: Startup;
    }
  | {
      readonly kind: "cancel";
      readonly client: ClientAddress;
      readonly processId: number;
      readonly key: Buffer;
    }
  /** Closed already; it was told why where it speaks Postgres. */
  | { readonly kind: "closed"; readonly problem: Problem | undefined };

/** Where a client is, as its load balancer says or the connection itself. */
export type ClientAddress = { readonly address: string; readonly port: number };

/** What is known in front of a client's first byte. */
export type Approach = {
  readonly tls: TlsServer | undefined;
  /** A load balancer is at the other end, and must say first where the client is. */
  readonly proxied: boolean;
  /** Called when a load balancer has said where the client is. */
  readonly located: (address: string) => void;
};

/** What has been asked for so far; each of the two at most once, for a client that repeats them never ends (CVE-2026-6479). */
type Asked = { ssl: boolean; gss: boolean; encrypted: boolean; direct: boolean };

const yes = Buffer.from("S");
const no = Buffer.from("N");

/**
 * Reads what a client sends before it logs in (protocol chapter, "Start-up", "SSL Session Encryption"). Has no
 * deadline of its own: destroying the accepted socket ends it.
 */
export async function readOpening(accepted: Socket, { tls, proxied, located }: Approach): Promise<Opening> {
  const asked: Asked = { ssl: false, gss: false, encrypted: false, direct: false };
  let socket = accepted;
  let clientCertificate: ClientCertificate = { kind: "none" };
  // Asked for now: a closed socket has none.
  let client = { address: accepted.remoteAddress ?? "", port: accepted.remotePort ?? 0 };
  let bytes: Buffer = Buffer.alloc(0);
  if (proxied) {
    const header = await readHeader(socket);
    if (header.kind === "refused") return closed(socket, noHeader(header.found));
    if (header.kind === "incomplete") return closed(socket);
    if (header.source !== undefined) client = asOnSocket(header.source);
    located(client.address);
    bytes = header.rest;
  }
  for (;;) {
    const packet = readStartupPacket(bytes);
    switch (packet.kind) {
      case "incomplete": {
        const more = await nextBytes(socket);
        if (more === undefined) return closed(socket);
        bytes = bytes.length === 0 ? more : Buffer.concat([bytes, more]);
        break;
      }
      case "direct-tls": {
        if (tls === undefined || asked.ssl || asked.gss || asked.encrypted) return closed(socket);
        const secured = await secure(socket, tls, bytes);
        if (secured === undefined) return closed(socket);
        socket = secured;
        clientCertificate = shownCertificate(secured);
        asked.encrypted = asked.direct = true;
        bytes = Buffer.alloc(0);
        break;
      }
      case "ssl-request": {
        if (asked.ssl || asked.encrypted) return refuse(socket, repeated("SSL"));
        asked.ssl = true;
        bytes = bytes.subarray(packet.bytes);
        if (tls === undefined) {
          socket.write(no);
          break;
        }
        // Sent in clear, it could be from anybody, and would be read as if it came inside of TLS (CVE-2021-23214).
        if (bytes.length > 0) return closed(socket);
        socket.write(yes);
        const secured = await secure(socket, tls, undefined);
        if (secured === undefined) return closed(socket);
        socket = secured;
        clientCertificate = shownCertificate(secured);
        asked.encrypted = true;
        break;
      }
      case "gss-request":
        // Inside TLS it has no meaning (CVE-2026-14681).
        if (asked.gss || asked.encrypted) return refuse(socket, repeated("GSSAPI"));
        asked.gss = true;
        bytes = bytes.subarray(packet.bytes);
        socket.write(no);
        break;
      case "cancel-request":
        socket.destroy();
        return { kind: "cancel", client, processId: packet.processId, key: packet.key };
      case "refused":
        return packet.answer ? refuse(socket, packet.problem) : closed(socket);
      case "startup":
        if (bytes.length > packet.bytes) socket.unshift(bytes.subarray(packet.bytes));
        return {
          kind: "startup",
          socket,
          tls: asked.encrypted ? tls : undefined,
          clientCertificate,
          client,
          startup: packet,
        };
    }
  }
}

type ReadHeader = Exclude<ProxyHeader, { kind: "header" }> | (ProxyHeader & { readonly rest: Buffer });

/** The header of the PROXY protocol, and what came behind it; incomplete: the connection has gone. */
async function readHeader(socket: Socket): Promise<ReadHeader> {
  let bytes: Buffer = Buffer.alloc(0);
  for (;;) {
    const more = await nextBytes(socket);
    if (more === undefined) return { kind: "incomplete" };
    bytes = Buffer.concat([bytes, more]);
    const header = readProxyHeader(bytes);
    if (header.kind === "header") return { ...header, rest: bytes.subarray(header.bytes) };
    if (header.kind === "refused") return header;
  }
}

/** In the same words as the address of a connection, with which conditions of access may compare it. */
function asOnSocket({ address, port }: ClientAddress): ClientAddress {
  const family = isIPv6(address) ? "ipv6" : "ipv4";
  return { address: new SocketAddress({ address, family }).address, port };
}

function noHeader(found: string): Problem {
  return { code: "protocol_violation", message: `expected a header of the PROXY protocol, found ${found}` };
}

/** The next bytes; undefined if the client has gone. What comes behind them stays in the socket. */
function nextBytes(socket: Socket): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const settle = (bytes: Buffer | undefined): void => {
      socket.pause();
      socket.off("data", settle);
      socket.off("close", gone);
      socket.off("end", gone);
      resolve(bytes);
    };
    const gone = (): void => settle(undefined);
    if (socket.destroyed) return resolve(undefined);
    socket.on("data", settle);
    socket.once("close", gone);
    socket.once("end", gone);
    return socket.resume();
  });
}

async function secure(
  socket: Socket,
  tls: TlsServer,
  first: Buffer | undefined,
): Promise<TLSSocket | undefined> {
  try {
    return await acceptTls(socket, tls, first);
  } catch {
    return undefined;
  }
}

function repeated(what: string): Problem {
  return { code: "protocol_violation", message: `unexpected request for ${what} encryption` };
}

function closed(socket: Socket, problem?: Problem): Opening {
  socket.destroy();
  return { kind: "closed", problem };
}

function refuse(socket: Socket, problem: Problem): Opening {
  socket.end(errorResponse(problem, "FATAL"));
  setTimeout(() => socket.destroy(), 1_000).unref();
  return { kind: "closed", problem };
}
