/** Below this a copy costs less than one more write, or than a fresh read buffer of the connection. */
const cheapToCopy = 16_384;

/**
 * Bytes on their way to one side, in order: runs of the chunk that was read, and messages of our own between them.
 * Adjacent runs become one, so that an untouched chunk leaves as the one buffer that it came in, in one write.
 */
export class Outgoing {
  /** The run that can still grow, and the closed pieces before it. */
  #buffer: Buffer | undefined;
  #start = 0;
  #end = 0;
  readonly #closed: Buffer[] = [];
  #closedBytes = 0;

  /** Bytes waiting to be written. */
  get bytes(): number {
    return this.#closedBytes + this.#end - this.#start;
  }

  /** Adds `buffer[start, end)`; by reference. */
  keep(buffer: Buffer, start: number, end: number): void {
    if (buffer === this.#buffer && start === this.#end) {
      this.#end = end;
      return;
    }
    this.#close();
    this.#buffer = buffer;
    this.#start = start;
    this.#end = end;
  }

  /** Adds a message of our own. */
  add(message: Buffer): void {
    this.keep(message, 0, message.length);
  }

  /** Hands everything to `write`, in one call unless copying it together would cost more; then it is empty. */
  flush(write: (bytes: Buffer) => void): void {
    // One run is the usual case, and worth doing without the list.
    const run = this.#closedBytes === 0 ? this.#takeRun() : undefined;
    if (run !== undefined) return write(run);
    this.#close();
    const pieces = this.#closed;
    if (pieces.length === 0) return;
    if (pieces.length === 1) write(pieces[0]!);
    else if (this.#closedBytes <= cheapToCopy) write(Buffer.concat(pieces, this.#closedBytes));
    else for (const piece of pieces) write(piece);
    pieces.length = 0;
    this.#closedBytes = 0;
    return undefined;
  }

  /**
   * Call before the chunk's buffer is read into again, if something may be waiting: what lies in it is copied if it
   * is small. Returns true if the buffer is still needed, so its owner must take another.
   */
  detach(chunk: Buffer): boolean {
    if (this.#closedBytes === 0 && this.#end - this.#start <= cheapToCopy) {
      const run = this.#takeRun();
      if (run === undefined) return false;
      const copy = Buffer.allocUnsafe(run.length);
      run.copy(copy);
      this.keep(copy, 0, copy.length);
      return false;
    }
    this.#close();
    if (this.#closedBytes > cheapToCopy) return this.#closed.some((piece) => piece.buffer === chunk.buffer);
    if (this.#closed.length > 0) {
      const copy = Buffer.concat(this.#closed, this.#closedBytes);
      this.#closed.length = 0;
      this.#closed.push(copy);
    }
    return false;
  }

  #close(): void {
    const run = this.#takeRun();
    if (run === undefined) return;
    this.#closed.push(run);
    this.#closedBytes += run.length;
  }

  /** The run that could still grow; undefined if it is empty. */
  #takeRun(): Buffer | undefined {
    const buffer = this.#buffer;
    const start = this.#start;
    const end = this.#end;
    this.#buffer = undefined;
    this.#start = 0;
    this.#end = 0;
    if (buffer === undefined || end === start) return undefined;
    return start === 0 && end === buffer.length ? buffer : buffer.subarray(start, end);
  }
}
