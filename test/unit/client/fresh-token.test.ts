import { UnsecuredJWT } from "jose";
import { describe, expect, test } from "vitest";
import type { Context, SignIn } from "../../../src/client/context.ts";
import { freshToken, usedToken } from "../../../src/client/fresh-token.ts";

const signIn: SignIn = {
  issuer: "https://id.example.com",
  clientId: "cli",
  scope: "openid",
  parameters: {},
  token: "access",
};
const jwt = (claims: Record<string, unknown>) =>
  new UnsecuredJWT({ exp: 1000, sub: "s-1", ...claims }).encode();

describe("the token that rolegate is shown", () => {
  test.each<[string, Partial<SignIn>, Record<string, unknown>, string]>([
    ["its address", {}, { email: "sam@example.com", preferred_username: "sam" }, "sam@example.com"],
    ["else the name that they prefer", {}, { preferred_username: "sam" }, "sam"],
    ["else the subject", {}, {}, "s-1"],
    ["or what a claim says", { nameClaim: "upn" }, { email: "sam@example.com", upn: "sam" }, "sam"],
  ])("names its bearer by %s", (_what, more, claims, name) => {
    expect(usedToken({ ...signIn, ...more }, { access: jwt(claims) })).toMatchObject({
      name,
      expiresAt: 1_000_000,
    });
  });

  test.each<[string, Partial<SignIn>, { access: string; id?: string }, string]>([
    ["is no JWT", {}, { access: "opaque" }, "--token id takes the ID token instead"],
    ["would act on a terminal behind its payload", {}, { access: `${jwt({})}\x1b[2J` }, "is no JWT"],
    ["is an ID token that did not come", { token: "id" }, { access: jwt({}) }, "--scope needs openid"],
    ["has no expiry", {}, { access: jwt({ exp: undefined }) }, "has no expiry"],
    ["names nobody", { nameClaim: "upn" }, { access: jwt({}) }, "--name-claim says where"],
    [
      "has a name that would act on a terminal",
      {},
      { access: jwt({ email: "\x1b[2J" }) },
      "--name-claim says where",
    ],
  ])("is refused where it %s", (_what, more, tokens, message) => {
    expect(() => usedToken({ ...signIn, ...more }, tokens)).toThrow(message);
  });

  test("is used as it is while it is good for a minute, or can't be renewed and is good at all", async () => {
    const context: Context = {
      signIn,
      place: { host: "localhost", port: 6432, database: "shop", sslmode: "verify-full" },
      tokens: { access: jwt({}) },
    };
    expect((await freshToken(context, 0)).context).toBe(context);
    expect((await freshToken(context, 999_000)).context).toBe(context);
    await expect(freshToken(context, 1_000_000)).rejects.toThrow("nothing to renew it with");
  });
});
