import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RolegateError } from "../../src/errors.ts";
import { frameTable } from "../../src/wire/frame-table.ts";
import { FrameReader, Step } from "../../src/wire/frames.ts";
import { Outgoing } from "../../src/wire/outgoing.ts";

const table = frameTable(
  { p: 1e6, q: 50, h: 1e6, w: 1e6 },
  { p: "pass", q: "pass", h: { head: 12 }, w: { whole: 64 } },
);

type Frame = { readonly type: string; readonly body: Uint8Array };

const frame = fc.record({
  type: fc.constantFrom("p", "q", "h", "w"),
  body: fc.uint8Array({ maxLength: 45 }),
});
const longFrame = fc.record({
  type: fc.constantFrom("p", "h", "w"),
  body: fc.uint8Array({ minLength: 46, maxLength: 300 }),
});
const frames = fc.array(fc.oneof({ weight: 4, arbitrary: frame }, { weight: 1, arbitrary: longFrame }), {
  maxLength: 12,
});
/** Sizes of the chunks, used in turn and over again. */
const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 8 });

function encode(frames: readonly Frame[]): Buffer {
  return Buffer.concat(
    frames.map(({ type, body }) => {
      const header = Buffer.alloc(5);
      header.write(type, 0, "latin1");
      header.writeUInt32BE(body.length + 4, 1);
      return Buffer.concat([header, body]);
    }),
  );
}

function split(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length]!;
    chunks.push(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
  }
  return chunks;
}

type Seen = { type: string; length: number; bytes: Buffer };

/** Everything that a reader reports: the bytes in order, and the messages that it was asked to show. */
function read(chunks: readonly Buffer[], reader = new FrameReader(table)): { bytes: Buffer; seen: Seen[] } {
  const bytes: Buffer[] = [];
  const seen: Seen[] = [];
  for (const chunk of chunks) {
    reader.feed(chunk);
    for (let step = reader.next(); step !== Step.end; step = reader.next()) {
      const piece = Buffer.from(reader.buffer.subarray(reader.start, reader.end));
      expect(piece.length).toBeGreaterThan(0);
      bytes.push(piece);
      if (step === Step.frame) {
        assert.equal(piece.length + reader.rest, reader.length);
        seen.push({ type: String.fromCharCode(reader.type), length: reader.length, bytes: piece });
      } else if (step === Step.rest) {
        const last = seen.at(-1)!;
        last.bytes = Buffer.concat([last.bytes, piece]);
        assert.equal(last.bytes.length + reader.rest, last.length);
      }
    }
  }
  return { bytes: Buffer.concat(bytes), seen };
}

test("any split of the bytes gives the same messages, and every byte once", () => {
  fc.assert(
    fc.property(frames, sizes, (frames, sizes) => {
      const bytes = encode(frames);
      const reader = new FrameReader(table);
      const result = read(split(bytes, sizes), reader);
      expect(result.bytes.equals(bytes)).toBe(true);
      const shown = frames.filter(({ type }) => type === "h" || type === "w");
      expect(result.seen.map(({ type }) => type)).toEqual(shown.map(({ type }) => type));
      result.seen.forEach(({ bytes }, index) => expect(bytes.equals(encode([shown[index]!]))).toBe(true));
      expect(reader.inMessage).toBe(false);
      expect(reader.heldBytes).toBe(0);
    }),
    { numRuns: 2000 },
  );
});

test("the first piece of a message holds as much as was asked for", () => {
  fc.assert(
    fc.property(frames, sizes, (frames, sizes) => {
      const reader = new FrameReader(table);
      for (const chunk of split(encode(frames), sizes)) {
        reader.feed(chunk);
        for (let step = reader.next(); step !== Step.end; step = reader.next()) {
          if (step !== Step.frame) continue;
          const wanted = reader.type === "h".charCodeAt(0) ? 12 : 64;
          expect(reader.end - reader.start).toBeGreaterThanOrEqual(Math.min(wanted, reader.length));
        }
      }
    }),
    { numRuns: 1000 },
  );
});

test("removing and replacing messages leaves every other byte as it was", () => {
  fc.assert(
    fc.property(frames, sizes, fc.boolean(), (frames, sizes, held) => {
      const replacement = encode([{ type: "w", body: Buffer.from("instead") }]);
      const reader = new FrameReader(table);
      const outgoing = new Outgoing();
      const written: Buffer[] = [];
      let keeping = true;
      for (const chunk of split(encode(frames), sizes)) {
        reader.feed(chunk);
        for (let step = reader.next(); step !== Step.end; step = reader.next()) {
          if (step === Step.frame) {
            const isHead = reader.type === "h".charCodeAt(0);
            keeping = !isHead;
            if (isHead && reader.length % 2 === 0) outgoing.add(replacement);
          }
          if (keeping || step === Step.run) outgoing.keep(reader.buffer, reader.start, reader.end);
        }
        // Written at once, or kept over the next reads into the same buffer.
        if (!held) outgoing.flush((bytes) => written.push(Buffer.from(bytes)));
        else if (!outgoing.detach(chunk)) chunk.fill(0xff);
      }
      outgoing.flush((bytes) => written.push(Buffer.from(bytes)));
      expect(outgoing.bytes).toBe(0);
      const expected = frames.flatMap((frame) => {
        if (frame.type !== "h") return [encode([frame])];
        return frame.body.length % 2 === 1 ? [replacement] : [];
      });
      expect(Buffer.concat(written).equals(Buffer.concat(expected))).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

/** The messages that were seen, or the text of the violation. */
function outcome(chunks: readonly Buffer[]): string | string[] {
  try {
    return read(chunks).seen.map(({ type, length }) => `${type}${length}`);
  } catch (error) {
    if (!(error instanceof RolegateError)) throw error;
    assert.equal(error.problem.code, "protocol_violation");
    return error.problem.message;
  }
}

test("arbitrary bytes raise nothing but a protocol violation, wherever they are split", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), sizes, (bytes, sizes) => {
      const whole = outcome([Buffer.from(bytes)]);
      const parts = outcome(split(Buffer.from(bytes), sizes));
      // A message that is shown early in one piece may be held back while split; a violation may not.
      expect(typeof whole === "string" ? parts : whole).toEqual(whole);
    }),
    { numRuns: 2000 },
  );
});
