import * as fc from "fast-check";
import { serialize } from "pg-protocol";
import { describe, expect, test } from "vitest";
import { RolegateError } from "../../../src/errors.ts";
import * as authentication from "../../../src/wire/authentication.ts";
import * as backend from "../../../src/wire/backend.ts";
import * as errorFields from "../../../src/wire/error-fields.ts";
import * as frontend from "../../../src/wire/frontend.ts";
import * as rewrite from "../../../src/wire/frontend-rewrite.ts";
import { backendLimits, frontendLimits } from "../../../src/wire/limits.ts";
import { decodeBytes, wireNameOf } from "../../../src/wire/text.ts";
import { trace } from "../../../src/wire/trace.ts";
import { int32, lengthWord, message, text } from "../../../src/wire/writer.ts";

/** The message somewhere in a larger buffer, as in a chunk. */
function inside<T>(bytes: Buffer, read: (buffer: Buffer, start: number, end: number) => T): T {
  const chunk = Buffer.concat([Buffer.from("Z\0\0\0\x05I"), bytes, Buffer.from("C\0\0\0\x05x")]);
  return read(chunk, 6, 6 + bytes.length);
}

const noNul = fc.string({ unit: "grapheme" }).filter((value) => !value.includes("\0"));
const shortName = fc.string({ unit: "grapheme-ascii", maxLength: 20 });

// pg-protocol writes what clients send: an encoder that is not ours.
describe("a client's message is read as another library wrote it", () => {
  test("Query", () => {
    fc.assert(
      fc.property(noNul, (sql) => {
        expect(decodeBytes(inside(serialize.query(sql), frontend.readQuery))).toBe(sql);
      }),
    );
  });

  test("Parse", () => {
    fc.assert(
      fc.property(noNul, shortName, fc.array(fc.nat(), { maxLength: 5 }), (sql, name, types) => {
        const bytes = serialize.parse({ text: sql, name, types });
        const read = inside(bytes, frontend.readParse);
        expect({ name: read.name, sql: decodeBytes(read.sql) }).toEqual({ name, sql });
      }),
    );
  });

  test("Bind, all of it or its beginning", () => {
    const values = fc.array(fc.option(noNul), { maxLength: 5 });
    fc.assert(
      fc.property(shortName, shortName, values, fc.nat(50), (portal, statement, values, less) => {
        const bytes = serialize.bind({ portal, statement, values });
        const names = 5 + portal.length + statement.length + 2;
        const beginning = bytes.subarray(0, Math.max(names, bytes.length - less));
        expect(inside(beginning, frontend.readBind)).toEqual({ portal, statement });
      }),
    );
  });

  test("Describe, Close and Execute", () => {
    fc.assert(
      fc.property(shortName, fc.constantFrom("S" as const, "P" as const), fc.nat(), (name, type, rows) => {
        const target = type === "S" ? "statement" : "portal";
        expect(inside(serialize.describe({ type, name }), frontend.readTarget)).toEqual({ target, name });
        expect(inside(serialize.close({ type, name }), frontend.readTarget)).toEqual({ target, name });
        expect(inside(serialize.execute({ portal: name, rows }), frontend.readExecute)).toBe(name);
      }),
    );
  });

  test("Password and the SASL responses", () => {
    expect(inside(serialize.password("pä ss"), frontend.readPassword)).toBe("pä ss");
    expect(inside(serialize.password(""), frontend.readPassword)).toBe("");
    const initial = serialize.sendSASLInitialResponseMessage("SCRAM-SHA-256", "n,,n=,r=x");
    expect(inside(initial, frontend.readSaslInitialResponse)).toEqual({
      mechanism: "SCRAM-SHA-256",
      response: Buffer.from("n,,n=,r=x"),
    });
    const final = serialize.sendSCRAMClientFinalMessage("c=biws");
    expect(inside(final, frontend.readSaslResponse)).toEqual(Buffer.from("c=biws"));
  });

  test("an initial response that is absent, and one that is empty", () => {
    const absent = message("p", text("SCRAM-SHA-256", "m"), int32(-1));
    expect(inside(absent, frontend.readSaslInitialResponse).response).toBeUndefined();
    const empty = message("p", text("SCRAM-SHA-256", "m"), int32(0));
    expect(inside(empty, frontend.readSaslInitialResponse).response).toEqual(Buffer.alloc(0));
  });
});

const bytes = (type: string, body: string) => message(type, Buffer.from(body, "latin1"));
const namedPortal = (name: string) => inside(serialize.execute({ portal: name }), frontend.readExecute);

describe("a malformed message is a protocol violation", () => {
  test.each([
    ["Query without NUL", bytes("Q", "select 1"), frontend.readQuery],
    ["Query with something behind it", bytes("Q", "select 1\0x"), frontend.readQuery],
    ["Query with two texts", bytes("Q", "select 1\0select 2\0"), frontend.readQuery],
    ["empty Query", bytes("Q", ""), frontend.readQuery],
    ["Parse without types", bytes("P", "\0select 1\0"), frontend.readParse],
    ["Parse with too few types", bytes("P", "\0select 1\0\0\x02\0\0\0\x17"), frontend.readParse],
    ["Parse with too many types", bytes("P", "\0select 1\0\0\0\0\0\0\x17"), frontend.readParse],
    ["Parse with one text", bytes("P", "select 1\0\0"), frontend.readParse],
    ["Bind with one name", bytes("B", "portal\0statement"), frontend.readBind],
    ["Describe of nothing", bytes("D", ""), frontend.readTarget],
    ["Describe without name", bytes("D", "S"), frontend.readTarget],
    ["Describe of another kind", bytes("D", "X\0"), frontend.readTarget],
    ["Close with two names", bytes("C", "Sa\0b\0"), frontend.readTarget],
    ["Execute without limit", bytes("E", "p\0"), frontend.readExecute],
    ["Execute with a longer limit", bytes("E", "p\0\0\0\0\0\0"), frontend.readExecute],
    ["Password without NUL", bytes("p", "secret"), frontend.readPassword],
    ["Password with two texts", bytes("p", "secret\0more\0"), frontend.readPassword],
    ["Password in another encoding", bytes("p", "\xe4\0"), frontend.readPassword],
    [
      "SASL response longer than the message",
      bytes("p", "X\0\0\0\0\x05abc"),
      frontend.readSaslInitialResponse,
    ],
    [
      "SASL response shorter than the message",
      bytes("p", "X\0\0\0\0\x01abc"),
      frontend.readSaslInitialResponse,
    ],
    ["SASL response of length -2", bytes("p", "X\0\xff\xff\xff\xfe"), frontend.readSaslInitialResponse],
    ["SASL response of length 2^31 - 1", bytes("p", "X\0\x7f\xff\xff\xff"), frontend.readSaslInitialResponse],
    ["ReadyForQuery of another status", bytes("Z", "X"), backend.readReadyForQuery],
    ["ReadyForQuery without status", bytes("Z", ""), backend.readReadyForQuery],
    ["ParameterStatus without value", bytes("S", "TimeZone\0"), backend.readParameterStatus],
    ["CommandComplete without NUL", bytes("C", "SELECT 1"), backend.readCommandTag],
  ])("%s", (_, bytes, read: (buffer: Buffer, start: number, end: number) => unknown) => {
    expect(() => inside(bytes, read)).toThrow(RolegateError);
    expect(() => inside(bytes, read)).toThrow(
      expect.objectContaining({
        problem: expect.objectContaining({ code: "protocol_violation" }) as unknown,
      }),
    );
  });

  test("whatever its bytes are, for every decoder", () => {
    const decoders: ((buffer: Buffer, start: number, end: number) => unknown)[] = [
      frontend.readQuery,
      frontend.readParse,
      frontend.readBind,
      frontend.readTarget,
      frontend.readExecute,
      frontend.readPassword,
      frontend.readSaslInitialResponse,
      frontend.readSaslResponse,
      backend.readReadyForQuery,
      backend.readParameterStatus,
      backend.readBackendKeyData,
      backend.readCommandTag,
      backend.readRowCount,
      errorFields.readErrorFields,
      (buffer, start, end) => errorFields.replaceErrorFields(buffer, start, end, "FLR", {}),
      (buffer, start, end) => trace(buffer.subarray(start, end), "client"),
      (buffer, start, end) => trace(buffer.subarray(start, end), "server"),
    ];
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .array(fc.constantFrom(0, 0, 0xff, 1, 0x53, 0x7f), { maxLength: 20 })
        .map((bytes) => Uint8Array.from(bytes)),
    );
    const type = fc.constantFrom(...Object.keys({ ...frontendLimits, ...backendLimits, p: 0 }));
    fc.assert(
      fc.property(type, body, (type, body) => {
        for (const decode of decoders) {
          try {
            inside(message(type, body), decode);
          } catch (error) {
            if (!(error instanceof RolegateError) || error.problem.code !== "protocol_violation") throw error;
          }
        }
      }),
      { numRuns: 500 },
    );
    expect(decoders.length).toBeGreaterThan(10);
  });
});

describe("a rewritten message", () => {
  test("Query holds the SQL", () => {
    expect(rewrite.query("select 'ä'")).toEqual(Buffer.from(serialize.query("select 'ä'")));
  });

  test("Parse keeps name and types, whatever they are", () => {
    fc.assert(
      fc.property(
        noNul,
        shortName,
        fc.array(fc.nat(), { maxLength: 5 }),
        noNul,
        (sql, name, types, other) => {
          const bytes = serialize.parse({ text: sql, name, types });
          const rewritten = inside(bytes, (buffer, start, end) =>
            rewrite.parseWithSql(buffer, start, end, Buffer.from(other)),
          );
          expect(rewritten.equals(serialize.parse({ text: other, name, types }))).toBe(true);
        },
      ),
    );
  });

  test("Execute loses its limit and nothing else", () => {
    const bytes = serialize.execute({ portal: "cursor", rows: 5 });
    expect(trace(inside(bytes, rewrite.executeWithoutLimit), "client")).toEqual(['Execute "cursor" 0']);
    expect(trace(bytes, "client")).toEqual(['Execute "cursor" 5']);
  });

  test("is not written with a NUL in its text, and the error does not show it", () => {
    expect(() => rewrite.query("select 1\0select secret")).toThrow("statement contains a NUL byte");
  });

  test.each([2 ** 30 - 4, 2 ** 31 - 4, 2 ** 32 - 4, 2 ** 32 + 10, 2 ** 53, Number.NaN])(
    "of %d bytes is not written, so that no length wraps around",
    (bytes) => {
      expect(() => lengthWord(bytes)).toThrow("a message would be longer than the protocol allows");
    },
  );

  test("of the longest length is", () => {
    expect(lengthWord(0x3fffffff - 4)).toBe(0x3fffffff);
  });

  test("of our own are those of the protocol", () => {
    expect([rewrite.sync, rewrite.flush, rewrite.terminate].map((bytes) => Buffer.from(bytes))).toEqual(
      [serialize.sync(), serialize.flush(), serialize.end()].map((bytes) => Buffer.from(bytes)),
    );
  });
});

describe("what we send as a server", () => {
  test.each([
    [authentication.authenticationOk, "Authentication 0 0 bytes"],
    [authentication.authenticationCleartextPassword, "Authentication 3 0 bytes"],
    [authentication.authenticationSasl(["SCRAM-SHA-256"]), "Authentication 10 15 bytes"],
    [authentication.authenticationSaslContinue("r=x"), "Authentication 11 3 bytes"],
    [authentication.authenticationSaslFinal("v=x"), "Authentication 12 3 bytes"],
    [backend.parameterStatus("TimeZone", "UTC"), 'ParameterStatus "TimeZone" "UTC"'],
    [backend.backendKeyData(7, Buffer.alloc(32)), "BackendKeyData 36 bytes"],
    [backend.readyForQuery("I"), "ReadyForQuery I"],
    [backend.readyForQuery("T"), "ReadyForQuery T"],
    [backend.readyForQuery("E"), "ReadyForQuery E"],
    [backend.noData, "NoData"],
    [backend.parseComplete, "ParseComplete"],
    [backend.closeComplete, "CloseComplete"],
    [backend.emptyQueryResponse, "EmptyQueryResponse"],
    [backend.commandComplete("SELECT 1"), 'CommandComplete "SELECT 1"'],
    [
      errorFields.noticeResponse("NOTICE", "00000", { message: "m", hint: "h" }),
      'NoticeResponse S="NOTICE" V="NOTICE" C="00000" M="m" H="h"',
    ],
    [
      errorFields.errorResponse(
        { code: "column_not_allowed", message: "m\0Cforged", detail: "d", hint: "h\nh", position: 8 },
        "ERROR",
      ),
      'ErrorResponse S="ERROR" V="ERROR" C="42501" M="m\u{fffd}Cforged" D="d" H="h\\nh" P="8"',
    ],
  ])("reads as it should (%#)", (bytes, line) => {
    expect(trace(bytes, "server")).toEqual([line]);
  });

  test("comes back from the reader", () => {
    expect(inside(backend.parameterStatus("search_path", '"$user", é'), backend.readParameterStatus)).toEqual(
      {
        name: "search_path",
        value: '"$user", é',
      },
    );
    for (const status of ["I", "T", "E"] as const) {
      expect(inside(backend.readyForQuery(status), backend.readReadyForQuery)).toBe(status);
    }
    const key = Buffer.alloc(256, 9);
    expect(inside(backend.backendKeyData(-9, key), backend.readBackendKeyData)).toEqual({
      processId: -9,
      key,
    });
  });

  test("refuses a NUL in a setting", () => {
    expect(() => backend.parameterStatus("a", "b\0c")).toThrow("setting's value contains a NUL byte");
  });
});

describe("the count of rows", () => {
  test.each([
    ["SELECT 5", 5],
    ["SELECT 0", 0],
    ["INSERT 0 12", 12],
    ["COPY 1000000", 1_000_000],
    ["UPDATE 4294967296", 4_294_967_296],
    ["MERGE 3", 3],
    ["BEGIN", undefined],
    ["CREATE TABLE", undefined],
    ["LISTEN", undefined],
    ["", undefined],
    ["7", undefined],
    ["X7", undefined],
    ["SELECT ", undefined],
  ])("of %j is %j", (tag, rows) => {
    expect(inside(backend.commandComplete(tag), backend.readRowCount)).toBe(rows);
    expect(inside(backend.commandComplete(tag), backend.readCommandTag)).toBe(tag);
  });
});

describe("the fields of an error", () => {
  const error = message("E", Buffer.from("SERROR\0VERROR\0C42P01\0Mno “t”\0P15\0Fparse.c\0L1449\0Rfoo\0\0"));

  test("are read", () => {
    expect(Object.fromEntries(inside(error, errorFields.readErrorFields))).toMatchObject({
      C: "42P01",
      M: "no “t”",
    });
  });

  test("are hidden by their codes, the others byte for byte the same", () => {
    const hidden = inside(error, (...frame) => errorFields.replaceErrorFields(...frame, "PFLR", {}));
    expect(hidden).toEqual(message("E", Buffer.from("SERROR\0VERROR\0C42P01\0Mno “t”\0\0")));
    expect(inside(error, (...frame) => errorFields.replaceErrorFields(...frame, "", {}))).toEqual(error);
  });

  test.each([
    ["no SQLSTATE", "SERROR\0Mfailed\0\0"],
    ["no end", "SERROR\0Mfailed\0"],
    ["a field without end", "SERROR\0Mfailed\0Dcut of"],
  ])("that a server sent with %s are read as far as they go (CVE-2026-6666)", (_, body) => {
    const bytes = message("E", Buffer.from(body));
    expect([...inside(bytes, errorFields.readErrorFields).entries()]).toEqual([
      ["S", "ERROR"],
      ["M", "failed"],
    ]);
    const hidden = inside(bytes, (...frame) => errorFields.replaceErrorFields(...frame, "FLR", {}));
    expect(hidden).toEqual(message("E", Buffer.from("SERROR\0Mfailed\0\0")));
  });
});

describe("names", () => {
  test("are cut where the server cuts them, so that two which it takes for one are one", () => {
    const long = "n".repeat(63);
    expect(namedPortal(`${long}1`)).toBe(namedPortal(`${long}2`));
    expect(namedPortal("n".repeat(62))).not.toBe(namedPortal(long));
  });

  test("are the same for the protocol and for SQL PREPARE", () => {
    for (const name of ["", "s1", "größe", "名前"]) {
      expect(namedPortal(name)).toBe(wireNameOf(name));
    }
  });
});

test("a text in byte form is decoded only if it is valid UTF-8", () => {
  expect(decodeBytes("\xc3\xa4")).toBe("ä");
  expect(decodeBytes("\xef\xbb\xbfselect")).toBe("\u{feff}select");
  for (const invalid of ["\xff", "\xc3", "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80"]) {
    expect(decodeBytes(invalid)).toBeUndefined();
  }
});

test("a trace shows what is incomplete, and no password", () => {
  const bytes = Buffer.concat([Buffer.from(serialize.password("secret")), Buffer.from("Q\0\0")]);
  expect(trace(bytes, "client")).toEqual(["Password 7 bytes", "incomplete 510000"]);
  expect(trace(Buffer.from("!\0\0\0\x04"), "server")).toEqual(["unknown 33 0 bytes"]);
  expect(trace(message("Q", Buffer.from("no end")), "client")[0]).toMatch(/^Query malformed/);
});
