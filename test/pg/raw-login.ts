import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { trace } from "../../src/wire/trace.ts";
import { int32, message, text } from "../../src/wire/writer.ts";

// A client that logs in by hand, for everything that no driver would do before its first statement.

const packet = (code: number, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat([int32(code), ...parts]);
  return Buffer.concat([int32(4 + body.length), body]);
};

/** What stands before the first message: packets without a type byte. */
export const open = {
  startup: (parameters: readonly (readonly [string, string])[], minor = 0) =>
    packet(
      (3 << 16) | minor,
      ...parameters.flatMap(([name, value]) => [text(name, "name"), text(value, "value")]),
      Buffer.of(0),
    ),
  ssl: packet(80_877_103),
  gss: packet(80_877_104),
  cancel: (processId: number, key: Buffer) => packet(80_877_102, int32(processId), key),
};

/** What answers an authentication request. */
export const answer = {
  password: (secret: string) => message("p", text(secret, "password")),
  saslInitial: (mechanism: string, response: string | undefined) =>
    message(
      "p",
      text(mechanism, "mechanism"),
      int32(response === undefined ? -1 : Buffer.byteLength(response, "latin1")),
      Buffer.from(response ?? "", "latin1"),
    ),
  sasl: (response: string) => message("p", Buffer.from(response, "latin1")),
};

export type RawLogin = {
  readonly socket: Socket;
  send(...messages: readonly Buffer[]): void;
  /** The bytes of every message up to the first of that type, or up to the end of the connection. */
  until(type: string): Promise<readonly Buffer[]>;
  /** A line for each message up to the end of the connection. */
  untilClosed(): Promise<readonly string[]>;
  /** True once the other side has closed. */
  readonly closed: boolean;
};

/** Reads messages from a connected socket. */
export function rawLogin(socket: Socket): RawLogin {
  let received = Buffer.alloc(0);
  let closed = false;
  let changed: (() => void) | undefined;
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    changed?.();
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    closed = true;
    changed?.();
  });
  const change = () => new Promise<void>((resolve) => (changed = resolve));
  const next = async (): Promise<Buffer | undefined> => {
    for (;;) {
      const length = received.length < 5 ? undefined : 1 + received.readUInt32BE(1);
      if (length !== undefined && received.length >= length) {
        const whole = received.subarray(0, length);
        received = received.subarray(length);
        return whole;
      }
      if (closed) return undefined;
      await change();
    }
  };
  const until = async (type: string): Promise<readonly Buffer[]> => {
    const messages: Buffer[] = [];
    for (let one = await next(); one !== undefined; one = await next()) {
      messages.push(one);
      if (String.fromCharCode(one[0]!) === type) break;
    }
    return messages;
  };
  return {
    socket,
    send: (...messages) => void socket.write(Buffer.concat(messages)),
    until,
    untilClosed: async () => lines(await until("nothing")),
    get closed() {
      return closed;
    },
  };
}

/** A line for each message. */
export const lines = (messages: readonly Buffer[]): string[] => trace(Buffer.concat(messages), "server");

export async function connectPlain(port: number): Promise<RawLogin> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  return rawLogin(socket);
}

/** SSLRequest, `S`, handshake. */
export async function openSecured(
  port: number,
  { allowHalfOpen, ...options }: ConnectionOptions & { readonly allowHalfOpen?: boolean } = {},
): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen });
  socket.write(open.ssl);
  const [said] = (await once(socket, "data")) as [Buffer];
  if (said.toString("latin1") !== "S")
    throw new Error(`SSLRequest was answered with ${said.toString("hex")}`);
  socket.pause();
  socket.removeAllListeners("data");
  return handshake({ socket, ...options });
}

export async function connectSecured(port: number, options: ConnectionOptions = {}): Promise<RawLogin> {
  return rawLogin(await openSecured(port, options));
}

/** TLS without asking. */
export function openDirectly(
  port: number,
  ALPNProtocols: string[],
  options: { readonly allowHalfOpen?: boolean } = {},
): Promise<Socket> {
  return handshake({ port, host: "127.0.0.1", ALPNProtocols, ...options });
}

export async function connectDirectly(port: number, ALPNProtocols: string[]): Promise<RawLogin> {
  return rawLogin(await openDirectly(port, ALPNProtocols));
}

async function handshake(options: ConnectionOptions & { readonly allowHalfOpen?: boolean }): Promise<Socket> {
  const secured = connectTls({ rejectUnauthorized: false, ...options });
  await once(secured, "secureConnect");
  return secured;
}

/** The bytes with which direct TLS begins. */
export async function helloOfTls(): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const socket = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _, done) => {
      resolve(chunk);
      done();
    },
  });
  const secured = connectTls({ socket, ALPNProtocols: ["postgresql"] }).on("error", () => {});
  const hello = await promise;
  secured.destroy();
  return hello;
}

const hmac = (key: Buffer, data: string) => createHmac("sha256", key).update(data).digest();

/** An honest client's part in SCRAM-SHA-256 without channel binding, with every message open to change. */
function scramClient(password: string, nonce = "client-nonce") {
  const bare = `n=,r=${nonce}`;
  return {
    first: `n,,${bare}`,
    /** The answer to the AuthenticationSASLContinue message `bytes`. */
    final: (bytes: Buffer): string => {
      const serverFirst = bytes.toString("latin1", 9);
      const [fullNonce, salt, iterations] = serverFirst.split(",").map((part) => part.slice(2));
      const salted = pbkdf2Sync(password, Buffer.from(salt!, "base64"), Number(iterations), 32, "sha256");
      const clientKey = hmac(salted, "Client Key");
      const withoutProof = `c=biws,r=${fullNonce}`;
      const stored = createHash("sha256").update(clientKey).digest();
      const signature = hmac(stored, `${bare},${serverFirst},${withoutProof}`);
      const proof = Buffer.from(clientKey.map((byte, index) => byte ^ signature[index]!));
      return `${withoutProof},p=${proof.toString("base64")}`;
    },
  };
}

/** Startup and SCRAM up to the last message that has to be sent, which is returned unsent. */
export async function beginScram(
  login: RawLogin,
  parameters: readonly (readonly [string, string])[],
  password: string,
  minor = 0,
): Promise<Buffer> {
  const scram = scramClient(password);
  login.send(open.startup(parameters, minor));
  await login.until("R");
  login.send(answer.saslInitial("SCRAM-SHA-256", scram.first));
  const [challenge] = await login.until("R");
  return answer.sasl(scram.final(challenge!));
}
