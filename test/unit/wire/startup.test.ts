import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cancelKeyBytes, negotiateProtocolVersion } from "../../../src/wire/negotiate-protocol-version.ts";
import { parseOptions } from "../../../src/wire/options.ts";
import { readStartupPacket } from "../../../src/wire/startup.ts";
import { trace } from "../../../src/wire/trace.ts";

function packet(code: number, body: Uint8Array | string = ""): Buffer {
  const bytes = Buffer.from(typeof body === "string" ? Buffer.from(body, "utf8") : body);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + bytes.length, 0);
  head.writeUInt32BE(code, 4);
  return Buffer.concat([head, bytes]);
}

const version = (major: number, minor: number) => major * 65_536 + minor;
const v30 = version(3, 0);
const ssl = 80_877_103;
const gss = 80_877_104;
const cancel = 80_877_102;

describe("a startup packet", () => {
  test("gives its parameters", () => {
    const read = readStartupPacket(packet(v30, "user\0ålice\0database\0shop\0options\0\0\0"));
    expect(read).toMatchObject({ kind: "startup", minor: 0, protocolOptions: [] });
    expect(read.kind === "startup" && [...read.parameters]).toEqual([
      ["user", "ålice"],
      ["database", "shop"],
      ["options", ""],
    ]);
  });

  test("says how long it is, so that bytes behind it are noticed", () => {
    const bytes = Buffer.concat([packet(v30, "user\0a\0\0"), Buffer.from("more")]);
    expect(readStartupPacket(bytes)).toMatchObject({ kind: "startup", bytes: bytes.length - 4 });
    expect(readStartupPacket(Buffer.concat([packet(ssl), Buffer.of(0)]))).toEqual({
      kind: "ssl-request",
      bytes: 8,
    });
  });

  test("is incomplete until its last byte", () => {
    const bytes = packet(v30, "user\0a\0\0");
    for (let size = 0; size < bytes.length; size++) {
      expect(readStartupPacket(bytes.subarray(0, size)).kind).toBe("incomplete");
    }
  });

  test("tells requests apart", () => {
    expect(readStartupPacket(packet(ssl)).kind).toBe("ssl-request");
    expect(readStartupPacket(packet(gss)).kind).toBe("gss-request");
    expect(readStartupPacket(Buffer.of(0x16, 3, 1)).kind).toBe("direct-tls");
  });

  test("names the protocol options apart from the parameters", () => {
    const read = readStartupPacket(packet(version(3, 9999), "user\0a\0_pq_.x\0on\0_pq_.y\0\0\0"));
    expect(read).toMatchObject({ kind: "startup", minor: 9999, protocolOptions: ["_pq_.x", "_pq_.y"] });
    expect(read.kind === "startup" && [...read.parameters.keys()]).toEqual(["user"]);
  });

  test("keeps names like those of Object apart from anything else", () => {
    const read = readStartupPacket(packet(v30, "user\0a\0__proto__\0x\0constructor\0y\0\0"));
    expect(read.kind === "startup" && read.parameters.get("__proto__")).toBe("x");
  });

  test.each([
    ["a name given twice", "user\0a\0user\0b\0\0", /given twice/],
    ["a protocol option given twice", "user\0a\0_pq_.x\x001\0_pq_.x\x002\0\0", /given twice/],
    ["no terminator", "user\0a\0", /terminator/],
    ["something behind the terminator", "user\0a\0\0x", /terminator/],
    ["a second terminator", "user\0a\0\0\0", /terminator/],
    ["a name without value", "user\0a\0database\0", /terminator/],
    ["an unfinished value", "user\0a\0database\0shop", /terminator/],
    ["no parameters and no terminator", "", /terminator/],
    ["no user", "database\0shop\0\0", /no PostgreSQL user name/],
    ["an empty user", "user\0\0\0", /terminator|no PostgreSQL user name/],
    ["nothing", "\0", /no PostgreSQL user name/],
  ])("with %s is refused, and told so", (_, body, message) => {
    const read = readStartupPacket(packet(v30, body));
    expect(read).toMatchObject({ kind: "refused", answer: true, problem: { code: "protocol_violation" } });
    expect(read.kind === "refused" && read.problem.message).toMatch(message);
  });

  test("with invalid UTF-8 is refused", () => {
    const body = Buffer.concat([Buffer.from("user\0a"), Buffer.of(0xff), Buffer.from("\0\0")]);
    expect(readStartupPacket(packet(v30, body))).toMatchObject({ kind: "refused", answer: true });
  });

  test.each([
    ["2.0", version(2, 0), "unsupported frontend protocol 2.0: server supports 3.0 to 3.2"],
    ["4.0", version(4, 0), "unsupported frontend protocol 4.0: server supports 3.0 to 3.2"],
    ["65535.65535", 0xffffffff, "unsupported frontend protocol 65535.65535: server supports 3.0 to 3.2"],
  ])("of protocol %s is refused as not supported", (_, code, message) => {
    const problem = { code: "unsupported_protocol", message };
    expect(readStartupPacket(packet(code, "user\0a\0\0"))).toMatchObject({
      kind: "refused",
      answer: true,
      problem,
    });
  });

  test.each([0, 7, 10_001, 0x7fffffff, 0x80000000, 0xffffffff, 0x47455420])(
    "of length %i is refused without an answer, before its body arrives",
    (length) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(length);
      expect(readStartupPacket(bytes)).toMatchObject({ kind: "refused", answer: false });
    },
  );

  test("of 10,000 bytes is taken", () => {
    const body = `user\0${"a".repeat(10_000 - 8 - 5 - 2)}\0\0`;
    expect(packet(v30, body).length).toBe(10_000);
    expect(readStartupPacket(packet(v30, body)).kind).toBe("startup");
  });

  test("of any bytes never throws", () => {
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc
        .array(fc.constantFrom("user", "a", "_pq_.", "", "\0", "é"), { maxLength: 10 })
        .map((parts) => Buffer.from(parts.join("\0"), "utf8")),
    );
    const any = fc.tuple(fc.constantFrom(v30, version(3, 2), ssl, gss, cancel, 0), body);
    fc.assert(
      fc.property(any, fc.uint8Array({ maxLength: 20 }), ([code, body], behind) => {
        const read = readStartupPacket(Buffer.concat([packet(code, body), behind]));
        expect(["startup", "refused", "ssl-request", "gss-request", "cancel-request"]).toContain(read.kind);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("a cancel request", () => {
  test.each([4, 32, 256])("with a key of %i bytes is read", (size) => {
    const body = Buffer.alloc(4 + size, 7);
    body.writeInt32BE(-5, 0);
    const read = readStartupPacket(packet(cancel, body));
    expect(read).toMatchObject({ kind: "cancel-request", bytes: 12 + size, processId: -5 });
    expect(read.kind === "cancel-request" && read.key).toEqual(Buffer.alloc(size, 7));
  });

  test.each([-4, 0, 3, 257])("with a key of %i bytes is refused without an answer", (size) => {
    expect(readStartupPacket(packet(cancel, Buffer.alloc(4 + size)))).toMatchObject({
      kind: "refused",
      answer: false,
    });
  });
});

describe("the protocol version", () => {
  test.each([
    [0, [], 0, []],
    [2, [], 2, []],
    [1, [], 0, ["NegotiateProtocolVersion 196608"]],
    [3, [], 2, ["NegotiateProtocolVersion 196610"]],
    [9999, [], 2, ["NegotiateProtocolVersion 196610"]],
    [65535, [], 2, ["NegotiateProtocolVersion 196610"]],
    [0, ["_pq_.x"], 0, ['NegotiateProtocolVersion 196608 "_pq_.x"']],
    [2, ["_pq_.x", "_pq_.y"], 2, ['NegotiateProtocolVersion 196610 "_pq_.x" "_pq_.y"']],
  ])("3.%i with options %j becomes 3.%i", (requested, options, minor, lines) => {
    const { minor: agreed, reply } = negotiateProtocolVersion(requested, options);
    expect(agreed).toBe(minor);
    expect(trace(reply ?? Buffer.alloc(0), "server")).toEqual(lines);
  });

  test("decides how long a cancel key is", () => {
    expect([cancelKeyBytes(0), cancelKeyBytes(2)]).toEqual([4, 32]);
  });
});

describe("options", () => {
  test.each([
    ["", []],
    ["   \t\n", []],
    ["-c a=b", [["a", "b"]]],
    ["-ca=b", [["a", "b"]]],
    ["--a=b", [["a", "b"]]],
    [
      "-c  work-mem=1MB --search-path=a,b",
      [
        ["work_mem", "1MB"],
        ["search_path", "a,b"],
      ],
    ],
    [
      "-c a=b\\ c -c d=\\\\e",
      [
        ["a", "b c"],
        ["d", "\\e"],
      ],
    ],
    ["-c\\ a=b", [[" a", "b"]]],
    ["-c a=", [["a", ""]]],
    ["-c a=b=c", [["a", "b=c"]]],
    ["-c a=-c", [["a", "-c"]]],
    ["-c --a=b", [["__a", "b"]]],
    [
      "-c a=1 -c a=2",
      [
        ["a", "1"],
        ["a", "2"],
      ],
    ],
    ["-c a=b\\", [["a", "b"]]],
    [
      "-c a=é\v-c b=ü",
      [
        ["a", "é"],
        ["b", "ü"],
      ],
    ],
  ])("%j are read as the server does", (text, settings) => {
    expect(parseOptions(text)).toEqual({ kind: "settings", settings });
  });

  test.each([
    "-c",
    "-c a",
    "--a",
    "--",
    "-",
    "a=b",
    "-d 5",
    "-f s",
    "-O",
    "-c a=b x",
    "-cc",
    "\\",
    "-S1",
    "-ea=b",
  ])("%j are refused", (text) => {
    expect(parseOptions(text)).toMatchObject({ kind: "refused", problem: { code: "protocol_violation" } });
  });

  test.each(["-c =", "-c=", "-c =x", "--=", "--=x"])(
    "%j have no name, and are refused (CVE-2026-107349)",
    (text) => {
      expect(parseOptions(text)).toMatchObject({
        problem: { message: 'unrecognized configuration parameter ""' },
      });
    },
  );

  test("of any text end in settings or a refusal, soon", () => {
    const text = fc.string({
      unit: fc.constantFrom("-", "c", "=", " ", "\\", "a", "\t", "é"),
      maxLength: 200,
    });
    fc.assert(
      fc.property(text, (text) => {
        const options = parseOptions(text);
        const names = options.kind === "settings" ? options.settings.map(([name]) => name) : ["refused"];
        expect(names.filter((name) => name === "" || name.includes("-"))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test("quoted with backslashes come back as they were", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (value) => {
        const escaped = value.replaceAll(/[\s\\]/g, (character) => `\\${character}`);
        expect(parseOptions(`-c a=${escaped} --b=${escaped}`)).toEqual({
          kind: "settings",
          settings: [
            ["a", value],
            ["b", value],
          ],
        });
      }),
    );
  });
});
