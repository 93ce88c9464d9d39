import { BodyReader } from "./reader.ts";
import { int32 } from "./writer.ts";

/** What BackendKeyData gives for cancelling: the key has 4 bytes in protocol 3.0, up to 256 in 3.2. */
export type CancelKey = { readonly processId: number; readonly key: Buffer };

/** The lengths of a key (protocol chapter, BackendKeyData). */
export const [minKey, maxKey] = [4, 256] as const;

/** CANCEL_REQUEST_CODE of libpq/pqcomm.h. */
export const cancelCode = 80_877_102;

/**
 * Reads a BackendKeyData message.
 * @throws Error for a key of another length than the protocol has
 */
export function readBackendKeyData(bytes: Buffer, start: number, end: number): CancelKey {
  const body = new BodyReader(bytes, start, end);
  const processId = body.int32();
  const length = body.remaining;
  if (length < minKey || length > maxKey) throw new Error(`the server gave a cancel key of ${length} bytes`);
  // Memory of its own: a small part of Node's pool would hold 8 kB of it as long as the session lives.
  const key = Buffer.alloc(length);
  body.bytes(length).copy(key);
  return { processId, key };
}

/** The CancelRequest packet, which has no type byte. */
export function cancelRequest({ processId, key }: CancelKey): Buffer {
  return Buffer.concat([int32(12 + key.length), int32(cancelCode), int32(processId), key]);
}
