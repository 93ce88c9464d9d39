import { clientTable, serverTable } from "../src/session/frame-tables.ts";
import type { FrameTable } from "../src/wire/frame-table.ts";
import { FrameReader, Step } from "../src/wire/frames.ts";
import { cost } from "./micro-clock.ts";
import type { Cost } from "./micro.ts";

/** What `pgbench -S -M prepared` sends for a transaction, and what it gets. */
const request = Buffer.concat([
  frame("B", "\0P0_1\0\0\0\0\u0001\0\0\0\u000512345\0\0"),
  frame("D", "P\0"),
  frame("E", "\0\0\0\0\0"),
  frame("S", ""),
]);
const reply = Buffer.concat([
  frame("2", ""),
  frame("T", "\0\u0001abalance\0\0\0\u0040\u0001\0\u0003\0\0\0\u0017\0\u0004\u00ff\u00ff\u00ff\u00ff\0\0"),
  frame("D", "\0\u0001\0\0\0\u00010"),
  frame("C", "SELECT 1\0"),
  frame("Z", "I"),
]);

/** Finding the messages of one transaction in a chunk; what a session then does with them is not in it. */
export function frameCosts(): Cost[] {
  return [
    cost("scan frames, a prepared transaction's request (4 messages)", scan(request, clientTable)),
    cost("scan frames, its reply (5 messages)", scan(reply, serverTable)),
  ];
}

function scan(chunk: Buffer, table: FrameTable): () => number {
  const reader = new FrameReader(table);
  return () => {
    let found = 0;
    reader.feed(chunk);
    for (let step = reader.next(); step !== Step.end; step = reader.next())
      found += reader.end - reader.start;
    if (found !== chunk.length) throw new Error(`${chunk.length} bytes went in and ${found} came out`);
    return found;
  };
}

function frame(type: string, body: string): Buffer {
  const bytes = Buffer.from(`${type}\0\0\0\0${body}`, "latin1");
  bytes.writeInt32BE(bytes.length - 1, 1);
  return bytes;
}
