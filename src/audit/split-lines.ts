const newline = 0x0a;

/**
 * Longest line that is read: two texts of the recorder's longest, each character escaped to six bytes, and the
 * rest. Anything longer was not written by rolegate and must not fill the reader's memory.
 */
const longestLine = 16 * 1024 * 1024;

/** A line of a file, or undefined for one that is too long to be read. `number` counts from 1. */
export type Line = { readonly number: number; readonly text: string | undefined };

/** Chunks of bytes in, whole lines out; empty lines are passed over. Holds at most one line. */
export class LineSplitter {
  #number = 0;
  #held: Buffer[] = [];
  #heldBytes = 0;

  /** The lines that end in this chunk. The chunk may be reused after the call. */
  push(chunk: Buffer): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      this.#hold(chunk.subarray(start, end));
      const line = this.end();
      if (line) lines.push(line);
      start = end + 1;
    }
    if (start < chunk.length) this.#hold(Buffer.from(chunk.subarray(start)));
    return lines;
  }

  /** The rest as a line: for a file that ends without a newline. Undefined if there is none. */
  end(): Line | undefined {
    const bytes = this.#heldBytes;
    const held = this.#held;
    this.#number++;
    this.#held = [];
    this.#heldBytes = 0;
    if (bytes === 0) return undefined;
    if (bytes > longestLine) return { number: this.#number, text: undefined };
    const only = held.length === 1 ? held[0] : undefined;
    return { number: this.#number, text: (only ?? Buffer.concat(held)).toString("utf8") };
  }

  #hold(bytes: Buffer): void {
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > longestLine) this.#held = [];
    else if (bytes.length > 0) this.#held.push(bytes);
  }
}
