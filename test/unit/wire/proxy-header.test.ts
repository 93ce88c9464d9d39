import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readProxyHeader } from "../../../src/wire/proxy-header.ts";
import { proxyHeader } from "../../pg/proxy-protocol-header.ts";

const tail = Buffer.from("what the client says");

describe("readProxyHeader", () => {
  test.each([
    ["an IPv4 client", proxyHeader("203.0.113.7", 5432), { address: "203.0.113.7", port: 5432 }],
    [
      "an IPv6 client",
      proxyHeader("2001:db8:0:0:0:0:0:7", 65535),
      { address: "2001:db8:0:0:0:0:0:7", port: 65535 },
    ],
    ["a mapped IPv4 client", proxyHeader("0:0:0:0:0:ffff:cb00:7107", 1), { address: "203.0.113.7", port: 1 }],
    [
      "values behind the addresses",
      proxyHeader("203.0.113.7", 1, { more: Buffer.alloc(500, 1) }),
      { address: "203.0.113.7", port: 1 },
    ],
    ["a connection of the balancer's own", proxyHeader("203.0.113.7", 1, { command: 0 }), undefined],
    ["a balancer that does not say", proxyHeader("203.0.113.7", 1, { family: 0 }), undefined],
    [
      "a client on a Unix socket",
      proxyHeader("203.0.113.7", 1, { family: 0x31, more: Buffer.alloc(204) }),
      undefined,
    ],
  ])("%s", (_name, header, source) => {
    expect(readProxyHeader(Buffer.concat([header, tail]))).toEqual({
      kind: "header",
      bytes: header.length,
      source,
    });
    for (let end = 0; end < header.length; end += 1)
      expect(readProxyHeader(header.subarray(0, end)), String(end)).toEqual({ kind: "incomplete" });
  });

  test.each([
    ["no header", Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]), "no PROXY header"],
    ["a TLS record", Buffer.from([0x16, 3, 1]), "no PROXY header"],
    ["version 1", Buffer.from("PROXY TCP4 203.0.113.7 127.0.0.1 1 2\r\n"), "version 1"],
    ["another version", proxyHeader("203.0.113.7", 1, { version: 3 }), "version 3"],
    ["another command", proxyHeader("203.0.113.7", 1, { command: 2 }), "command 2"],
    [
      "no room for the addresses",
      proxyHeader("203.0.113.7", 1, { length: 11 }),
      "a header that ends inside of its addresses",
    ],
    [
      "a length beyond all sense",
      proxyHeader("203.0.113.7", 1, { length: 65_535 }),
      "a header of 65551 bytes",
    ],
  ])("refuses %s", (_name, bytes, found) => {
    expect(readProxyHeader(bytes)).toEqual({ kind: "refused", found });
  });

  test("whatever comes, it reads no further than the header says", () => {
    expect.hasAssertions();
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (random) => {
        const signed = Buffer.concat([proxyHeader("203.0.113.7", 9).subarray(0, 12), Buffer.from(random)]);
        const read = readProxyHeader(signed);
        expect(read.kind === "header" ? read.bytes : 0).toBeLessThanOrEqual(signed.length);
      }),
    );
  });
});
