import { array, assert, constantFrom, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { bearerRefusal, readBearerMessage } from "../../../src/identity/oauth-bearer.ts";

const read = (message: string) => readBearerMessage(Buffer.from(message, "latin1"));

describe("a client's first message of OAUTHBEARER", () => {
  test.each([
    ["as libpq writes it", "n,,\x01auth=Bearer abc.def-_~+/==\x01\x01", "abc.def-_~+/=="],
    ["that would bind, if that were defined", "y,,\x01auth=Bearer a\x01\x01", "a"],
    ["with the scheme in another case, and spaces", "n,,\x01auth=bEARER   a\x01\x01", "a"],
    ["with host and port, as in RFC 7628", "n,,\x01host=x\x01port=1\x01auth=Bearer a\x01\x01", "a"],
    ["with keys that nobody knows, twice", "n,,\x01x=\x01x=a=b \t\r\n\x01auth=Bearer a\x01\x01", "a"],
    ["with AUTH, which is another key", "n,,\x01AUTH=Bearer b\x01auth=Bearer a\x01\x01", "a"],
  ])("%s", (_what, message, token) => {
    expect(read(message)).toEqual({ kind: "token", token });
  });

  test("with an empty auth asks where tokens come from", () => {
    expect(read("n,,\x01auth=\x01\x01")).toEqual({ kind: "discovery" });
    expect(read("y,,\x01auth=\x01host=x\x01\x01")).toEqual({ kind: "discovery" });
  });

  test.each([
    "Bearer",
    "Bearer ",
    "Bearer  ",
    "Basic YTpi",
    "a",
    " ",
    "Bearer a b",
    "Bearer a=b",
    "Bearer é",
    "Bearer\ta",
  ])("with auth=%j brings no token", (auth) => {
    const kind = /^[\x20-\x7e\t]*$/.test(auth) ? "no token" : "malformed";
    expect(read(`n,,\x01auth=${auth}\x01\x01`).kind).toBe(kind);
  });

  test.each([
    ["nothing", "", "The message is empty."],
    ["the separator alone", "\x01", "The channel-binding flag is not n or y."],
    [
      "a channel binding",
      "p=tls-server-end-point,,\x01auth=Bearer a\x01\x01",
      "The server does not support channel binding for OAuth.",
    ],
    ["a token alone", "abc", "The channel-binding flag is not n or y."],
    ["another flag", "N,,\x01auth=Bearer a\x01\x01", "The channel-binding flag is not n or y."],
    ["a flag with more", "nn,\x01auth=Bearer a\x01\x01", "The channel-binding flag is not n or y."],
    ["the flag alone", "n", "The channel-binding flag is not n or y."],
    ["a header that does not end", "n,", "The header does not end where it should."],
    ["another attribute", "n,m=x,\x01auth=Bearer a\x01\x01", "The header does not end where it should."],
    [
      "no separator behind the header",
      "n,,auth=Bearer a\x01\x01",
      "The header does not end where it should.",
    ],
    ["the header alone", "n,,", "The header does not end where it should."],
    ["no pairs and no end", "n,,\x01", "The message does not end with the final separator."],
    ["no end", "n,,\x01auth=Bearer a\x01", "The message does not end with the final separator."],
    ["a pair without end", "n,,\x01auth=Bearer a", "The message does not end with the final separator."],
    [
      "something behind the end",
      "n,,\x01auth=Bearer a\x01\x01x",
      "The message does not end with the final separator.",
    ],
    [
      "an end too many",
      "n,,\x01auth=Bearer a\x01\x01\x01",
      "The message contains something that is no key with a value.",
    ],
    [
      "pairs behind the end",
      "n,,\x01x=y\x01\x01auth=Bearer a\x01\x01",
      "The message contains something that is no key with a value.",
    ],
    [
      "a key without value",
      "n,,\x01auth\x01\x01",
      "The message contains something that is no key with a value.",
    ],
    [
      "a value without key",
      "n,,\x01=Bearer a\x01\x01",
      "The message contains something that is no key with a value.",
    ],
    [
      "a key with a digit",
      "n,,\x01auth1=x\x01auth=Bearer a\x01\x01",
      "The message contains something that is no key with a value.",
    ],
    [
      "a NUL",
      "n,,\x01auth=Bearer a\x01x=\0\x01\x01",
      "The message contains something that is no key with a value.",
    ],
    [
      "a NUL behind the end",
      "n,,\x01auth=Bearer a\x01\x01\0",
      "The message does not end with the final separator.",
    ],
    [
      "a byte beyond ASCII",
      "n,,\x01x=\xe9\x01auth=Bearer a\x01\x01",
      "The message contains something that is no key with a value.",
    ],
    [
      "two tokens",
      "n,,\x01auth=Bearer a\x01auth=Bearer b\x01\x01",
      "The message contains multiple auth values.",
    ],
    ["none", "n,,\x01host=x\x01\x01", "The message does not contain an auth value."],
    ["no pair", "n,,\x01\x01", "The message does not contain an auth value."],
  ])("is malformed with %s", (_what, message, detail) => {
    expect(read(message)).toEqual({
      kind: "malformed",
      code: "protocol_violation",
      message: "malformed OAUTHBEARER message",
      detail,
    });
  });

  test("may not ask to be somebody else", () => {
    expect(read("n,a=postgres,\x01auth=Bearer a\x01\x01")).toEqual({
      kind: "malformed",
      code: "unsupported_protocol",
      message: "client uses authorization identity, but it is not supported",
    });
  });

  test("gives the token that stands in it, or none, whatever it is", () => {
    const pieces = ["n", "y", "p", ",", ",,", "a=", "\x01", "auth=", "Bearer ", "abc", "x=y", "\0", "=", " "];
    const form = /^[ny],,;(?:[a-zA-Z]+=[^;]*;)*;$/;
    const wrong: string[] = [];
    assert(
      property(array(constantFrom(...pieces), { maxLength: 14 }), (parts) => {
        const message = parts.join("");
        const result = read(message);
        const shown = message.replaceAll("\x01", ";");
        if (result.kind === "token" && !(form.test(shown) && message.includes(`Bearer ${result.token}\x01`)))
          wrong.push(shown);
        if (result.kind === "malformed" && JSON.stringify(result).includes("abc")) wrong.push(shown);
      }),
      { numRuns: 20_000 },
    );
    expect(wrong).toEqual([]);
  });
});

test("a refusal names the issuer's configuration as the server does", () => {
  expect(bearerRefusal({ issuer: "https://id.example.com/", scope: 'openid "x"' })).toBe(
    String.raw`{"status":"invalid_token","openid-configuration":"https://id.example.com//.well-known/openid-configuration","scope":"openid \"x\""}`,
  );
});
