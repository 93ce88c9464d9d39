/** What a load balancer says of a connection in front of the client's own first byte. */
export type ProxyHeader =
  | { readonly kind: "incomplete" }
  | {
      readonly kind: "header";
      /** How long it is; behind it the client speaks. */
      readonly bytes: number;
      /** Where the client is; undefined: the connection is the balancer's own, or it does not say. */
      readonly source: { readonly address: string; readonly port: number } | undefined;
    }
  | { readonly kind: "refused"; readonly found: string };

const signature = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const fixedBytes = 16;

/** Addresses take 36 bytes at most; what stands behind them (a certificate's names, an id) is skipped. */
const maxProxyHeader = 2_048;

const addressBytes = { 1: 12, 2: 36 } as const;

/**
 * Reads a header of version 2 of the PROXY protocol (HAProxy, "The PROXY protocol", section 2.2). `buffer` holds what has
 * arrived; bytes behind the header are left alone.
 */
export function readProxyHeader(buffer: Buffer): ProxyHeader {
  const known = Math.min(buffer.length, signature.length);
  if (buffer.compare(signature, 0, known, 0, known) !== 0)
    return refused(buffer.toString("latin1", 0, 5) === "PROXY" ? "version 1" : "no PROXY header");
  if (buffer.length < fixedBytes) return { kind: "incomplete" };
  const version = buffer[12]! >> 4;
  const command = buffer[12]! & 0xf;
  const family = buffer[13]! >> 4;
  const bytes = fixedBytes + buffer.readUInt16BE(14);
  if (version !== 2) return refused(`version ${version}`);
  if (command > 1) return refused(`command ${command}`);
  if (bytes > maxProxyHeader) return refused(`a header of ${bytes} bytes`);
  if (buffer.length < bytes) return { kind: "incomplete" };
  // LOCAL, and families without an address of the network, leave it at the connection's own (section 2.2).
  if (command === 0 || (family !== 1 && family !== 2)) return { kind: "header", bytes, source: undefined };
  if (bytes - fixedBytes < addressBytes[family]) return refused("a header that ends inside of its addresses");
  return { kind: "header", bytes, source: family === 1 ? ipv4(buffer) : ipv6(buffer) };
}

function ipv4(buffer: Buffer): { address: string; port: number } {
  return { address: [...buffer.subarray(16, 20)].join("."), port: buffer.readUInt16BE(24) };
}

/** Without `::`; one that is a mapped IPv4 address as that. */
function ipv6(buffer: Buffer): { address: string; port: number } {
  const words = Array.from({ length: 8 }, (_, index) => buffer.readUInt16BE(16 + 2 * index));
  const port = buffer.readUInt16BE(48);
  const mapped = words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff;
  if (mapped) return { address: [...buffer.subarray(28, 32)].join("."), port };
  return { address: words.map((word) => word.toString(16)).join(":"), port };
}

function refused(found: string): ProxyHeader {
  return { kind: "refused", found };
}
