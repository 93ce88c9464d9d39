import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/** How much one read may take; PostgreSQL's own send buffer is 8 kB, and a bulk transfer fills this. */
const bufferBytes = 65_536;

/** Buffers kept for another read: a chunk that waits for its reader, and the one read meanwhile. */
const mostBuffers = 4;

/**
 * The read buffers of one socket. One that was kept comes back into use when it is released: left to the garbage
 * collector, which hardly looks at memory outside of its heap, a gigabyte to a slow reader would leave half of itself
 * behind before it is collected.
 */
export class ReadBuffers {
  readonly #kept: Buffer[] = [];
  readonly #spare: Buffer[] = [];

  take(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(bufferBytes);
  }

  /** The buffer stays as it is, until `release`. */
  keep(buffer: Buffer): void {
    if (this.#kept.length < mostBuffers) this.#kept.push(buffer);
  }

  /** None that was kept is needed any more. */
  release(): void {
    for (const buffer of this.#kept) if (this.#spare.length < mostBuffers) this.#spare.push(buffer);
    this.#kept.length = 0;
  }
}

/**
 * Makes a connected TCP or Unix socket read into one buffer over and over, where Node would allocate one for every
 * read and pass it through a stream: `docs/decisions` has the numbers. `onData` gets a view of the buffer that is
 * valid until it returns; if it returns true the view stays valid, and the socket reads into another buffer.
 *
 * Returns false, and changes nothing, where it cannot: the caller then listens to `data`. This is what the `onread`
 * option of node:net does, which Node takes only when it creates the socket itself. The socket is one that was
 * accepted, or that a library connected, so the option is set afterwards, in the fields that it would have set.
 */
export function readInPlace(
  socket: Socket,
  onData: (chunk: Buffer) => boolean,
  buffers = new ReadBuffers(),
): boolean {
  if (socket instanceof TLSSocket || socket.connecting || socket.destroyed) return false;
  const { _handle: handle } = socket as unknown as { _handle?: { useUserBuffer?: unknown } | null };
  const fields = socket as unknown as Record<symbol, unknown>;
  const [buffer, callback, next] = ["kBuffer", "kBufferCb", "kBufferGen"].map((name) =>
    fieldOf(fields, name),
  );
  if (!hasUserBuffer(handle) || buffer === undefined || callback === undefined || next === undefined)
    return false;

  let current = buffers.take();
  let kept = false;
  fields[buffer] = current;
  fields[callback] = (bytes: number) => {
    kept = onData(current.subarray(0, bytes));
    return true;
  };
  // Node asks after every read; what is returned is both held by the socket and read into next.
  fields[next] = () => {
    if (!kept) return undefined;
    kept = false;
    buffers.keep(current);
    current = buffers.take();
    return current;
  };
  handle.useUserBuffer(current);
  return true;
}

/** The field of that name, if the socket has it and does not use it yet. */
function fieldOf(fields: Record<symbol, unknown>, name: string): symbol | undefined {
  const symbol = Object.getOwnPropertySymbols(fields).find(({ description }) => description === name);
  return symbol !== undefined && fields[symbol] === null ? symbol : undefined;
}

function hasUserBuffer(handle: unknown): handle is { useUserBuffer(buffer: Uint8Array): void } {
  return typeof (handle as { useUserBuffer?: unknown } | null | undefined)?.useUserBuffer === "function";
}
