import { createHash, pbkdf2Sync } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Beginning,
  type FinalOutcome,
  mechanisms,
  receiveFinal,
  receiveFirst,
} from "../../../src/scram/exchange.ts";
import { hmac, makeVerifier, mockVerifier, parseVerifier } from "../../../src/scram/verifier.ts";

// RFC 7677, section 3.
const rfc = {
  salt: Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64"),
  clientNonce: "rOprNGfwEbeRWgbNEkqO",
  serverNonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
  proof: "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
  signature: "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
};
const verifier = parseVerifier(await makeVerifier("pencil", { salt: rfc.salt }))!;
const hash = createHash("sha256").update("certificate").digest();
const begin = (certificateHash?: Buffer): Beginning => ({
  verifier,
  nonce: rfc.serverNonce,
  certificateHash,
});
const bytes = (text: string) => Buffer.from(text, "latin1");

function awaitingFinal(
  first = `n,,n=user,r=${rfc.clientNonce}`,
  beginning = begin(),
  mechanism = "SCRAM-SHA-256",
) {
  const outcome = receiveFirst(beginning, mechanism, bytes(first));
  if (outcome.kind !== "continue") throw new Error(outcome.reason);
  return outcome;
}

/** What an honest client answers. */
function clientFinal(password: string, bare: string, answer: string, channelBinding: string): string {
  const [nonce, salt, iterations] = answer.split(",").map((part) => part.slice(2));
  const salted = pbkdf2Sync(password, Buffer.from(salt!, "base64"), Number(iterations), 32, "sha256");
  const clientKey = hmac(salted, "Client Key");
  const withoutProof = `c=${channelBinding},r=${nonce}`;
  const signature = hmac(
    createHash("sha256").update(clientKey).digest(),
    `${bare},${answer},${withoutProof}`,
  );
  const proof = Buffer.from(clientKey.map((byte, index) => byte ^ signature[index]!));
  return `${withoutProof},p=${proof.toString("base64")}`;
}

const reasonOf = (outcome: { kind: string } | { kind: "failed"; code: string; reason: string }) =>
  "reason" in outcome ? `${outcome.code}: ${outcome.reason}` : outcome.kind;

describe("an exchange", () => {
  test("of RFC 7677 gives the messages of the RFC", () => {
    const first = awaitingFinal();
    const fullNonce = rfc.clientNonce + rfc.serverNonce;
    expect(first.answer).toBe(`r=${fullNonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`);
    const outcome = receiveFinal(first.state, bytes(`c=biws,r=${fullNonce},p=${rfc.proof}`));
    expect(outcome).toEqual({ kind: "authenticated", answer: `v=${rfc.signature}` });
  });

  test("with PLUS binds to the certificate, and to this certificate only", () => {
    const bare = `n=,r=${rfc.clientNonce}`;
    const header = "p=tls-server-end-point,,";
    const { answer, state } = awaitingFinal(header + bare, begin(hash), "SCRAM-SHA-256-PLUS");
    const bound = (data: Buffer) => Buffer.concat([Buffer.from(header), data]).toString("base64");
    const finish = (data: Buffer): FinalOutcome =>
      receiveFinal(state, bytes(clientFinal("pencil", bare, answer, bound(data))));
    expect(finish(hash).kind).toBe("authenticated");
    expect(reasonOf(finish(createHash("sha256").update("other").digest()))).toMatch(
      /channel binding check failed/,
    );
  });

  test("of a client without channel binding works where PLUS is offered", () => {
    const bare = `n=,r=${rfc.clientNonce}`;
    const { answer, state } = awaitingFinal(`n,,${bare}`, begin(hash));
    expect(receiveFinal(state, bytes(clientFinal("pencil", bare, answer, "biws"))).kind).toBe(
      "authenticated",
    );
  });

  test("with optional extensions and any name goes through, as they are ignored", () => {
    const bare = `n=somebody=2Celse,r=${rfc.clientNonce},x=1`;
    const { answer, state } = awaitingFinal(`y,,${bare}`);
    expect(receiveFinal(state, bytes(clientFinal("pencil", bare, answer, "eSws"))).kind).toBe(
      "authenticated",
    );
  });

  test("with another password fails", () => {
    const bare = `n=,r=${rfc.clientNonce}`;
    const { answer, state } = awaitingFinal(`n,,${bare}`);
    const outcome = receiveFinal(state, bytes(clientFinal("Pencil", bare, answer, "biws")));
    expect(reasonOf(outcome)).toBe("authentication_failed: the proof does not match");
  });

  test("with a mock verifier fails even for a client that knows its keys", () => {
    const known = { ...verifier, mock: true };
    const bare = `n=,r=${rfc.clientNonce}`;
    const { answer, state } = awaitingFinal(`n,,${bare}`, { ...begin(), verifier: known });
    const outcome = receiveFinal(state, bytes(clientFinal("pencil", bare, answer, "biws")));
    expect(reasonOf(outcome)).toBe("authentication_failed: the proof does not match");
  });

  test("with a mock verifier answers as one with a real verifier does", () => {
    const mock = mockVerifier("nobody", Buffer.alloc(32, 1));
    const { answer } = awaitingFinal(undefined, { ...begin(), verifier: mock });
    expect(answer).toMatch(/^r=[^,]+,s=[A-Za-z0-9+/]{22}==,i=4096$/);
  });
});

describe("the first message", () => {
  test.each([
    ["a mechanism that was not offered", "SCRAM-SHA-1", "n,,n=,r=a", /invalid SASL authentication mechanism/],
    ["PLUS where it was not offered", "SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,n=,r=a", /mechanism/],
    [
      "channel binding without PLUS",
      "SCRAM-SHA-256",
      "p=tls-server-end-point,,n=,r=a",
      /without SCRAM-SHA-256-PLUS/,
    ],
    ["an unknown flag", "SCRAM-SHA-256", "q,,n=,r=a", /malformed/],
    ["an authorization identity", "SCRAM-SHA-256", "n,a=admin,n=,r=a", /authorization identity/],
    ["a mandatory extension", "SCRAM-SHA-256", "n,,m=1,n=,r=a", /unsupported SCRAM extension/],
    ["a mandatory extension at the end", "SCRAM-SHA-256", "n,,n=,r=a,m=1", /unsupported SCRAM extension/],
    ["an empty nonce", "SCRAM-SHA-256", "n,,n=,r=", /nonce/],
    ["a nonce with a space", "SCRAM-SHA-256", "n,,n=,r=a b", /nonce/],
    ["a nonce with a control character", "SCRAM-SHA-256", "n,,n=,r=a\nb", /nonce/],
    ["no nonce", "SCRAM-SHA-256", "n,,n=", /malformed/],
    ["the parts in another order", "SCRAM-SHA-256", "n,,r=a,n=", /malformed/],
    ["a NUL", "SCRAM-SHA-256", "n,,n=,r=a\0", /malformed/],
    ["an extension that is none", "SCRAM-SHA-256", "n,,n=,r=a,x", /malformed/],
    ["nothing", "SCRAM-SHA-256", "", /malformed/],
  ])("with %s is refused", (_, mechanism, message, reason) => {
    expect(reasonOf(receiveFirst(begin(), mechanism, bytes(message)))).toMatch(reason);
  });

  test("that claims we do not offer PLUS where we do is a downgrade", () => {
    const outcome = receiveFirst(begin(hash), "SCRAM-SHA-256", bytes("y,,n=,r=a"));
    expect(reasonOf(outcome)).toBe("authentication_failed: SCRAM channel binding negotiation error");
  });

  test.each(["n", "y", "p=tls-unique", "p=tls-exporter"])("with PLUS and the flag %s is refused", (flag) => {
    const outcome = receiveFirst(begin(hash), "SCRAM-SHA-256-PLUS", bytes(`${flag},,n=,r=a`));
    expect(reasonOf(outcome)).toMatch(/does not bind/);
  });
});

describe("the final message", () => {
  const { state } = awaitingFinal();
  const nonce = rfc.clientNonce + rfc.serverNonce;
  test.each([
    ["a nonce that begins right", `c=biws,r=${nonce}x,p=${rfc.proof}`, /nonce does not match/],
    ["a nonce cut short", `c=biws,r=${nonce.slice(0, -1)},p=${rfc.proof}`, /nonce does not match/],
    ["the client's nonce alone", `c=biws,r=${rfc.clientNonce},p=${rfc.proof}`, /nonce does not match/],
    ["another channel binding", `c=eSws,r=${nonce},p=${rfc.proof}`, /channel binding check failed/],
    ["a proof cut short", `c=biws,r=${nonce},p=${rfc.proof.slice(0, 40)}`, /malformed/],
    ["a proof in sloppy base64", `c=biws,r=${nonce},p=${rfc.proof.replace("=", "")}`, /malformed/],
    ["no proof", `c=biws,r=${nonce}`, /malformed/],
    ["something behind the proof", `c=biws,r=${nonce},p=${rfc.proof},x=1`, /malformed/],
    ["two proofs", `c=biws,r=${nonce},p=${rfc.proof},p=${rfc.proof}`, /malformed/],
    ["a mandatory extension", `c=biws,r=${nonce},m=1,p=${rfc.proof}`, /malformed/],
    ["a NUL behind it", `c=biws,r=${nonce},p=${rfc.proof}\0`, /malformed/],
    ["nothing", "", /malformed/],
    [
      "an extension that the proof does not cover",
      `c=biws,r=${nonce},x=1,p=${rfc.proof}`,
      /proof does not match/,
    ],
  ])("with %s fails", (_, message, reason) => {
    expect(reasonOf(receiveFinal(state, bytes(message)))).toMatch(reason);
  });
});

test("PLUS is offered only with a certificate hash", () => {
  expect(mechanisms(undefined)).toEqual(["SCRAM-SHA-256"]);
  expect(mechanisms(hash)).toEqual(["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]);
});

test("no bytes make either step throw or let anybody in", () => {
  const { state } = awaitingFinal();
  const part = fc.oneof(
    fc.constantFrom("n", "y", "", "n=", "r=a", "c=biws", `r=${state.fullNonce}`, "p=", "m=", "p=AAAA", "\0"),
    fc.string({ unit: "binary", maxLength: 8 }),
  );
  const message = fc.array(part, { maxLength: 6 }).map((parts) => bytes(parts.join(",")));
  fc.assert(
    fc.property(
      message,
      fc.constantFrom("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "x"),
      (message, mechanism) => {
        receiveFirst(begin(hash), mechanism, message);
        expect(receiveFinal(state, message).kind).toBe("failed");
      },
    ),
    { numRuns: 1000 },
  );
});
