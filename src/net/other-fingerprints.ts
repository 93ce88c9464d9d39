import { createHash } from "node:crypto";

/** The orders of the curves with which authorities sign: P-256, P-384, P-521 (SEC 2). */
const orders: readonly bigint[] = [
  0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
];

/**
 * The fingerprints that the same certificate may have with the other signature that fits it: of ECDSA's (r, s) that is
 * (r, n - s), which anybody can work out. A certificate that was taken away by its fingerprint would be another one with it.
 * @param der a certificate (RFC 5280, section 4.1: what is signed, the algorithm, the signature)
 * @returns in lower-case hex; none for other kinds of signatures, which have no second one
 */
export function otherFingerprints(der: Buffer): readonly string[] {
  const whole = element(der, 0, 0x30);
  const signed = whole && element(der, whole.start, 0x30);
  const algorithm = signed && element(der, signed.end, 0x30);
  const bits = algorithm && element(der, algorithm.end, 0x03);
  const pair = bits && element(der, bits.start + 1, 0x30);
  const r = pair && element(der, pair.start, 0x02);
  const s = r && element(der, r.end, 0x02);
  if (s === undefined || s.end !== der.length || s.end === s.start) return [];
  const value = BigInt(`0x${der.toString("hex", s.start, s.end)}`);
  return orders
    .filter((order) => value < order)
    .map((order) => {
      const signature = sequence(0x30, [der.subarray(pair!.start, r!.end), integer(order - value)]);
      const parts = [der.subarray(whole!.start, algorithm!.end), sequence(0x03, [Buffer.of(0), signature])];
      return createHash("sha256").update(sequence(0x30, parts)).digest("hex");
    });
}

type Element = { readonly start: number; readonly end: number };

/** Where the contents of an element of DER begin and end; undefined: there is none of that tag. */
function element(der: Buffer, at: number, tag: number): Element | undefined {
  if (at + 2 > der.length || der[at] !== tag) return undefined;
  const first = der[at + 1]!;
  const bytes = first < 0x80 ? 0 : first & 0x7f;
  const start = at + 2 + bytes;
  if (bytes > 4 || start > der.length) return undefined;
  const end = start + (bytes === 0 ? first : der.readUIntBE(at + 2, bytes));
  return end <= der.length ? { start, end } : undefined;
}

function sequence(tag: number, parts: readonly Buffer[]): Buffer {
  const contents = Buffer.concat(parts);
  const length = hexBytes(BigInt(contents.length));
  const head =
    contents.length < 0x80 ? Buffer.of(contents.length) : Buffer.of(0x80 | length.length, ...length);
  return Buffer.concat([Buffer.of(tag), head, contents]);
}

function integer(value: bigint): Buffer {
  const bytes = hexBytes(value);
  return sequence(0x02, bytes[0]! < 0x80 ? [bytes] : [Buffer.of(0), bytes]);
}

function hexBytes(value: bigint): Buffer {
  const hex = value.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex");
}
