import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/** How much one read may take where much comes: PostgreSQL's own send buffer is 8 kB, and a bulk transfer fills this. */
const largeBytes = 65_536;

/** The same where little comes: most sessions are idle, and each has two sockets. */
const smallBytes = 2_048;

/** After so many reads in a row that a small buffer had been enough for, it is one again. */
const mostSmallReads = 16;

/** Buffers kept for another read: a chunk that waits for its reader, and the one read meanwhile. */
const mostBuffers = 4;

/** Large ones that no socket needs now, for the next that does. */
const pool: Buffer[] = [];
const mostPooled = 32;

/**
 * The read buffers of one socket. One that was kept comes back into use when it is released: left to the garbage
 * collector, which hardly looks at memory outside of its heap, a gigabyte to a slow reader would leave half of itself
 * behind before it is collected.
 */
export class ReadBuffers {
  readonly #kept: Buffer[] = [];
  #spare: Buffer[] = [];
  #bytes = smallBytes;
  #smallReads = 0;

  take(): Buffer {
    const spare = this.#spare.pop();
    if (spare !== undefined) return spare;
    return (this.#bytes === largeBytes ? pool.pop() : undefined) ?? Buffer.allocUnsafeSlow(this.#bytes);
  }

  /** The buffer stays as it is, until `release`. */
  keep(buffer: Buffer): void {
    if (this.#kept.length < mostBuffers) this.#kept.push(buffer);
  }

  /** The buffer is not needed any more. */
  give(buffer: Buffer): void {
    if (buffer.length === this.#bytes && this.#spare.length < mostBuffers) this.#spare.push(buffer);
    else if (buffer.length === largeBytes && pool.length < mostPooled) pool.push(buffer);
  }

  /** None that was kept is needed any more. */
  release(): void {
    for (const buffer of this.#kept) this.give(buffer);
    this.#kept.length = 0;
  }

  /** True if reads should go on in a buffer of another size, now that one of so many bytes came. */
  resizeAfter(bytes: number): boolean {
    if (this.#bytes === smallBytes) {
      if (bytes < smallBytes) return false;
      return this.#resize(largeBytes);
    }
    this.#smallReads = bytes < smallBytes ? this.#smallReads + 1 : 0;
    return this.#smallReads >= mostSmallReads && this.#resize(smallBytes);
  }

  #resize(bytes: number): true {
    this.#bytes = bytes;
    this.#smallReads = 0;
    const spare = this.#spare;
    this.#spare = [];
    for (const buffer of spare) this.give(buffer);
    return true;
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
  let resized = false;
  fields[buffer] = current;
  fields[callback] = (bytes: number) => {
    resized = buffers.resizeAfter(bytes);
    kept = onData(current.subarray(0, bytes));
    return true;
  };
  // Node asks after every read; what is returned is both held by the socket and read into next.
  fields[next] = () => {
    if (!kept && !resized) return undefined;
    if (kept) buffers.keep(current);
    else buffers.give(current);
    kept = resized = false;
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
