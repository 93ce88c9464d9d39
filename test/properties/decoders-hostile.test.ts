import { expect, test, vi } from "vitest";
import { RolegateError } from "../../src/errors.ts";
import { receiveFinal, receiveFirst } from "../../src/scram/exchange.ts";
import { makeVerifier, parseVerifier } from "../../src/scram/verifier.ts";
import { clientTable, copyInTable, hidingTable, serverTable } from "../../src/session/frame-tables.ts";
import * as backend from "../../src/wire/backend.ts";
import { readErrorFields, replaceErrorFields } from "../../src/wire/error-fields.ts";
import { FrameReader, Step } from "../../src/wire/frames.ts";
import * as frontend from "../../src/wire/frontend.ts";
import { executeWithoutLimit, parseWithSql } from "../../src/wire/frontend-rewrite.ts";
import { parseOptions } from "../../src/wire/options.ts";
import { readStartupPacket } from "../../src/wire/startup.ts";
import { trace } from "../../src/wire/trace.ts";
import { int16, int32, message, text } from "../../src/wire/writer.ts";
import { say } from "../pg/raw-connection.ts";
import { answer, open } from "../pg/raw-login.ts";
import { fuzz, fuzzTimeout } from "./fuzz/budget.ts";
import { chanceOf, mutateBody, mutateMore, split, type Chance } from "./fuzz/mutations.ts";

vi.setConfig({ testTimeout: fuzzTimeout });

// Whatever bytes come, a decoder gives an answer or raises a protocol violation, in a time that is bounded by the
// length of the bytes. And what it takes for good is what was written.

/** How many inputs a seed stands for. */
const round = 2_000;

/** The longest that one input of a few hundred bytes may take, in milliseconds; a busy machine's pauses included. */
const longest = 3_000;

/** Runs what may refuse its input; anything but a protocol violation is thrown on. */
function decode<Value>(read: () => Value): Value | undefined {
  const begun = performance.now();
  try {
    return read();
  } catch (error) {
    if (error instanceof RolegateError && error.problem.code === "protocol_violation") return undefined;
    throw error;
  } finally {
    const took = performance.now() - begun;
    if (took > longest) expect(took).toBeLessThan(longest);
  }
}

function rounds(what: string, each: (chance: Chance) => void): Promise<number> {
  const play = (seed: number): number => {
    const chance = chanceOf(seed);
    for (let input = 0; input < round; input++) each(chance);
    return round;
  };
  return fuzz(what, play, 1);
}

const parameters = [
  ["user", "alice"],
  ["database", "shop"],
  ["options", "-c search_path=a --work-mem=1MB -cx=\\ y"],
  ["_pq_.magic", "on"],
] as const;

const packets = [
  open.startup(parameters, 2),
  open.startup([["user", ""]]),
  open.ssl,
  open.gss,
  open.cancel(4711, Buffer.alloc(32, 7)),
  open.cancel(1, Buffer.alloc(4)),
];

test("startup packets: what is accepted is what stands in the bytes", async () => {
  let accepted = 0;
  const inputs = await rounds("startup packets", (chance) => {
    const bytes = mutateMore(chance.pick(packets), chance);
    const packet = decode(() => readStartupPacket(bytes))!;
    if (packet.kind !== "startup") return;
    accepted++;
    // Written anew it has the same bytes, but for the place of the protocol options.
    const options = packet.protocolOptions.map((name) => [name, ""] as const);
    const again = open.startup([...packet.parameters, ...options], packet.minor);
    const unequal = packet.protocolOptions.length === 0 && !again.equals(bytes.subarray(0, packet.bytes));
    if (unequal) expect(again.toString("latin1")).toBe(bytes.toString("latin1", 0, packet.bytes));
    if (!packet.parameters.get("user")) expect(packet.parameters).toBe("without a user");
  });
  expect(accepted).toBeGreaterThan(inputs / 100);
});

test("options: every text is settings or a refusal, and no setting is without a name", async () => {
  let accepted = 0;
  await rounds("options", (chance) => {
    const bytes = mutateMore(
      Buffer.from(chance.pick(["-c =", "-c a=b -cc=d --e-f=g", "-c a=\\", " -c\ta=b\\ c "])),
      chance,
    );
    const options = decode(() => parseOptions(bytes.toString("latin1")))!;
    if (options.kind !== "settings") return;
    accepted++;
    for (const [name] of options.settings) if (name === "" || name.includes("=")) expect(name).toBe("a name");
  });
  expect(accepted).toBeGreaterThan(0);
  const long = "-c a=b ".repeat(100_000) + "\\".repeat(100_001);
  expect(decode(() => parseOptions(long))).toMatchObject({ kind: "refused" });
});

const clientMessages = [
  say.query("select 'größe'"),
  message("P", text("name", "name"), text("select $1", "sql"), int16(2), int32(23), int32(0)),
  say.bind("p", "s", ["1", null]),
  say.describe("S", "name"),
  say.close("P", ""),
  say.execute("p", 7),
  answer.password("secret"),
  answer.saslInitial("SCRAM-SHA-256", "n,,n=,r=nonce"),
  answer.sasl("c=biws,r=nonce,p=AAAA"),
];

/** Each reader of a client's message, and what writes that message anew. */
const readers: Readonly<Record<string, (bytes: Buffer) => Buffer | undefined>> = {
  Q: (bytes) => message("Q", Buffer.from(frontend.readQuery(bytes, 0, bytes.length), "latin1"), Buffer.of(0)),
  P: (bytes) => {
    const { sql } = frontend.readParse(bytes, 0, bytes.length);
    return parseWithSql(bytes, 0, bytes.length, Buffer.from(sql, "latin1"));
  },
  B: (bytes) => void frontend.readBind(bytes, 0, bytes.length),
  D: (bytes) => void frontend.readTarget(bytes, 0, bytes.length),
  C: (bytes) => void frontend.readTarget(bytes, 0, bytes.length),
  E: (bytes) => {
    frontend.readExecute(bytes, 0, bytes.length);
    const unlimited = executeWithoutLimit(bytes, 0, bytes.length);
    return Buffer.concat([unlimited.subarray(0, -4), bytes.subarray(-4)]);
  },
};
const answers = [frontend.readPassword, frontend.readSaslInitialResponse, frontend.readSaslResponse];

test("messages of a client: what is read is written anew with the same bytes", async () => {
  let accepted = 0;
  const inputs = await rounds("messages of a client", (chance) => {
    const bytes = mutateBody(chance.pick(clientMessages), chance);
    const type = String.fromCharCode(bytes[0]!);
    const read = readers[type];
    if (read === undefined) for (const one of answers) decode(() => one(bytes, 0, bytes.length));
    const again = read && decode(() => read(bytes));
    if (again === undefined) return;
    accepted++;
    if (!again.equals(bytes)) expect(again.toString("latin1")).toBe(bytes.toString("latin1"));
  });
  expect(accepted).toBeGreaterThan(inputs / 100);
});

const serverMessages = [
  backend.parameterStatus("TimeZone", "Europe/Berlin"),
  backend.backendKeyData(4711, Buffer.alloc(32, 1)),
  backend.readyForQuery("T"),
  backend.commandComplete("INSERT 0 12"),
  message("E", Buffer.from("SERROR\0VERROR\0C42P01\0Mno\0Dso\0P15\0Fx.c\0L1\0Rf\0\0")),
  message("N", Buffer.from("MInotice\0\0")),
  message("T", int16(1), text("a", "name"), Buffer.alloc(18)),
  message("D", int16(2), int32(1), Buffer.from("x"), int32(-1)),
  message("G", Buffer.of(0), int16(2), int16(0), int16(1)),
];

test("messages of a server: nothing but a violation, and no field that was to be hidden", async () => {
  let shownFields = 0;
  await rounds("messages of a server", (chance) => {
    const bytes = mutateBody(chance.pick(serverMessages), chance);
    const end = bytes.length;
    for (const read of [backend.readReadyForQuery, backend.readParameterStatus, backend.readBackendKeyData])
      decode(() => read(bytes, 0, end));
    decode(() => backend.readCommandTag(bytes, 0, end));
    const count = backend.readRowCount(bytes, 0, end);
    if (count !== undefined && !(count >= 0)) expect(count).toBeGreaterThanOrEqual(0);
    readErrorFields(bytes, 0, end);
    const shown = replaceErrorFields(bytes, 0, end, "FLRDP", { H: "help" });
    const fields = readErrorFields(shown, 0, shown.length);
    if (/[FLRDP]/.test([...fields.keys()].join("")) || fields.get("H") !== "help")
      expect([...fields]).toBe("without what is hidden");
    shownFields += fields.size - 1;
    trace(bytes, "server");
    trace(bytes, "client");
  });
  expect(shownFields).toBeGreaterThan(0);
});

test("frames: whatever comes in whatever pieces, every byte is reported once or the stream is refused", async () => {
  const tables = [clientTable, copyInTable, serverTable, hidingTable];
  const all = [...clientMessages, ...serverMessages, say.copyData("x".repeat(300)), say.sync, say.flush];
  let whole = 0;
  const inputs = await rounds("frames", (chance) => {
    const messages = Array.from({ length: 1 + chance.below(5) }, () => chance.pick(all));
    const bytes =
      chance.below(4) === 0 ? Buffer.concat(messages) : mutateMore(Buffer.concat(messages), chance);
    const reader = new FrameReader(chance.pick(tables));
    const reported: Buffer[] = [];
    const read = decode(() => {
      for (const chunk of split(bytes, chance)) {
        reader.feed(chunk);
        for (let step = reader.next(); step !== Step.end; step = reader.next())
          reported.push(reader.buffer.subarray(reader.start, reader.end));
      }
      return true;
    });
    const seen = Buffer.concat(reported);
    const back = read === true ? Buffer.concat([seen, reader.unread()]) : seen;
    const same = read === true ? back.equals(bytes) : back.equals(bytes.subarray(0, back.length));
    if (!same) expect(back.toString("hex")).toBe(bytes.toString("hex"));
    if (read === true) whole++;
  });
  expect(whole).toBeGreaterThan(inputs / 100);
});

test("SCRAM: no message is taken for a proof that is none", async () => {
  const verifier = parseVerifier(await makeVerifier("a password", { salt: Buffer.alloc(16, 1) }))!;
  const beginning = { verifier, nonce: "server-nonce", certificateHash: undefined };
  const [first, final] = [
    Buffer.from("n,,n=,r=client-nonce"),
    `c=biws,r=client-nonceserver-nonce,p=${"A".repeat(43)}=`,
  ];
  let begun = 0;
  await rounds("SCRAM", (chance) => {
    const outcome = decode(() => receiveFirst(beginning, "SCRAM-SHA-256", mutateMore(first, chance)))!;
    if (outcome.kind !== "continue") return;
    begun++;
    const last = decode(() => receiveFinal(outcome.state, mutateMore(Buffer.from(final), chance)))!;
    if (last.kind === "authenticated") expect(last).toBe("refused");
  });
  expect(begun).toBeGreaterThan(0);
});
