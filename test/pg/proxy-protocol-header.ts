/** A header of version 2 of the PROXY protocol, as a load balancer puts it in front of a connection; `more` may falsify it. */
export function proxyHeader(
  address: string,
  port: number,
  more: {
    readonly version?: number;
    readonly command?: number;
    readonly family?: number;
    readonly length?: number;
    readonly more?: Buffer;
  } = {},
): Buffer {
  const ipv6 = address.includes(":");
  const source = ipv6
    ? Buffer.concat(
        address.split(":").map((word) => {
          const bytes = Buffer.alloc(2);
          bytes.writeUInt16BE(Number.parseInt(word, 16));
          return bytes;
        }),
      )
    : Buffer.from(address.split(".").map(Number));
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(port, 0);
  ports.writeUInt16BE(6432, 2);
  const body = Buffer.concat([source, Buffer.alloc(source.length), ports, more.more ?? Buffer.alloc(0)]);
  const head = Buffer.alloc(16);
  head.write("\r\n\r\n\0\r\nQUIT\n", "latin1");
  head[12] = ((more.version ?? 2) << 4) | (more.command ?? 1);
  head[13] = more.family ?? (ipv6 ? 0x21 : 0x11);
  head.writeUInt16BE(more.length ?? body.length, 14);
  return Buffer.concat([head, body]);
}
