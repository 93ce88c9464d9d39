import { describe, expect, test } from "vitest";
import { saslprep } from "../../../src/scram/saslprep.ts";
import { makeVerifier, mockVerifier, parseVerifier } from "../../../src/scram/verifier.ts";

const salt = Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64");
const text =
  "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$" +
  "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

describe("a verifier", () => {
  test("is made as PostgreSQL makes it", async () => {
    expect(await makeVerifier("pencil", { salt })).toBe(text);
  });

  test("is read back", () => {
    expect(parseVerifier(text)).toMatchObject({ iterations: 4096, salt, mock: false });
  });

  test("takes the iterations that were asked for", async () => {
    expect(await makeVerifier("pencil", { salt, iterations: 1 })).toMatch(/^SCRAM-SHA-256\$1:/);
    await expect(makeVerifier("pencil", { salt, iterations: 0 })).rejects.toThrow(/iterations/);
    await expect(makeVerifier("pencil", { salt, iterations: 1.5 })).rejects.toThrow(/iterations/);
    await expect(makeVerifier("pencil", { salt: Buffer.alloc(0) })).rejects.toThrow(/salt/);
  });

  test.each([
    ["a password", "pencil"],
    ["nothing", ""],
    ["md5", "md5c4a1c9a9e1a3b5c7d9e1f3a5b7c9d1e3"],
    ["another hash", text.replace("256", "512")],
    ["no iterations", text.replace("4096", "0")],
    ["too many iterations", text.replace("4096", "4294967296")],
    ["a negative count", text.replace("4096", "-4096")],
    ["a short key", text.replace("WG5d", "")],
    ["sloppy base64", text.replace("wfPL", "wf-L")],
    ["a missing part", text.slice(0, text.lastIndexOf(":"))],
    ["something behind", `${text}=`],
    ["a line feed behind", `${text}\n`],
  ])("is not read from %s", (_, text) => {
    expect(parseVerifier(text)).toBeUndefined();
  });

  test("for an unknown name is the same each time, and another for another name or secret", () => {
    const secret = Buffer.alloc(32, 1);
    const salts = [
      mockVerifier("alice", secret),
      mockVerifier("alice", secret),
      mockVerifier("bob", secret),
      mockVerifier("alice", Buffer.alloc(32, 2)),
    ].map(({ salt }) => salt.toString("hex"));
    expect(salts[0]).toBe(salts[1]);
    expect(new Set(salts).size).toBe(3);
    expect(mockVerifier("alice", secret)).toMatchObject({ iterations: 4096, mock: true });
    expect(mockVerifier("alice", secret).salt.length).toBe(salt.length);
  });
});

describe("saslprep", () => {
  test.each([
    ["ASCII, as it is", "pencil\t\x7f", "pencil\t\x7f"],
    ["a soft hyphen, removed (RFC 4013, section 3)", "I\u00adX", "IX"],
    ["upper and lower case, kept", "\u00dcser", "\u00dcser"],
    ["a compatibility character, normalised", "\u00aa", "a"],
    ["a Roman numeral, normalised", "\u2168", "IX"],
    ["a no-break space, made a space", "a\u00a0b", "a b"],
    ["decomposed letters, composed", "u\u0308", "\u00fc"],
    ["right-to-left text, kept", "\u0627\u0628", "\u0627\u0628"],
    ["nothing but what is removed, unchanged", "\u00ad", "\u00ad"],
    ["a prohibited control character, unchanged", "\u2168\u0007", "\u2168\u0007"],
    ["mixed directions, unchanged", "\u0627\u2168a", "\u0627\u2168a"],
    ["a digit at the end of right-to-left text, unchanged", "\u06271", "\u06271"],
    ["what Unicode 3.2 did not know, unchanged", "\u2168\u{1f600}", "\u2168\u{1f600}"],
    ["a private character, unchanged", "\u2168\ue000", "\u2168\ue000"],
    ["a lone surrogate, unchanged", "\u2168\ud800", "\u2168\ud800"],
  ])("of %s", (_, password, prepared) => {
    expect(saslprep(password)).toBe(prepared);
  });
});
