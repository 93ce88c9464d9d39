/** Chance that can be played again. */
export type Chance = {
  /** A whole number from 0 to below `end`. */
  below(end: number): number;
  pick<Item>(items: readonly Item[]): Item;
  bytes(length: number): Buffer;
};

/** The 32-bit mixer of SplitMix: quick, and good enough to reach everything. */
export function chanceOf(seed: number): Chance {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  const below = (end: number): number => next() % end;
  return {
    below,
    pick: (items) => items[below(items.length)]!,
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
  };
}

/** Lengths and counts at which arithmetic goes wrong. */
const words = [
  0, 1, 3, 4, 5, 8, 0x7f, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
] as const;

/** Bytes in the place of others, or at a place where there were none. */
const pieces = [
  "",
  "\0",
  "\0\0",
  "=",
  ",",
  "\\",
  "-c ",
  "--",
  "\xff\xfe",
  "a".repeat(70),
  "{}",
  "\n",
  "%s%n",
].map((text) => Buffer.from(text, "latin1"));

/** The bytes with something wrong in them. */
function mutate(bytes: Buffer, chance: Chance): Buffer {
  const at = chance.below(bytes.length + 1);
  const end = Math.min(bytes.length, at + chance.pick([1, 2, 4, 5, 16, 64]));
  switch (chance.below(9)) {
    case 0: {
      const copy = Buffer.from(bytes);
      if (at < copy.length) copy[at]! ^= 1 << chance.below(8);
      return copy;
    }
    case 1: {
      const copy = Buffer.from(bytes);
      if (at < copy.length) copy[at] = chance.below(256);
      return copy;
    }
    case 2: {
      const copy = Buffer.from(bytes);
      if (at + 4 <= copy.length) copy.writeUInt32BE(chance.pick(words), at);
      return copy;
    }
    case 3: {
      const copy = Buffer.from(bytes);
      if (at + 2 <= copy.length) copy.writeUInt16BE(chance.pick(words) & 0xffff, at);
      return copy;
    }
    case 4:
      return bytes.subarray(0, at);
    case 5:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
    case 6:
      return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
    case 7:
      return Buffer.concat([bytes.subarray(0, at), chance.pick(pieces), bytes.subarray(at)]);
    default:
      return Buffer.concat([bytes.subarray(0, at), chance.bytes(chance.below(12)), bytes.subarray(end)]);
  }
}

/** The same several times over; mostly once. */
export function mutateMore(bytes: Buffer, chance: Chance): Buffer {
  let mutated = mutate(bytes, chance);
  while (chance.below(3) === 0) mutated = mutate(mutated, chance);
  return mutated;
}

/** The message with its body changed and its length word right, so that the frame around it stays one. */
export function mutateBody(message: Buffer, chance: Chance): Buffer {
  const body = mutateMore(message.subarray(5), chance);
  const header = Buffer.alloc(5);
  header[0] = message[0]!;
  header.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}

/** Messages left out, sent twice, or in another order. */
export function shuffle<Item>(items: readonly Item[], chance: Chance): Item[] {
  const shuffled = [...items];
  for (let turn = chance.below(4); turn > 0 && shuffled.length > 0; turn--) {
    const [from] = shuffled.splice(chance.below(shuffled.length), 1);
    const copies = chance.below(3);
    for (let copy = 0; copy < copies; copy++) shuffled.splice(chance.below(shuffled.length + 1), 0, from!);
  }
  return shuffled;
}

/** The bytes in pieces of any size. */
export function split(bytes: Buffer, chance: Chance): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = chance.pick([1, 1, 3, 7, 60, 1000, 100_000]);
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}
