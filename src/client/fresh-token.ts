import { decodeJwt } from "jose";
import { isIdentityName } from "../identity/identity-name.ts";
import type { Context, SignIn, Tokens } from "./context.ts";
import { refreshTokens } from "./provider.ts";

/** What a token says, which nobody has verified here: it is rolegate that does. */
export type UsedToken = {
  readonly token: string;
  /** The name that rolegate will know its bearer by. */
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
};

/** A token that ends sooner than this is renewed first, in milliseconds. */
const margin = 60_000;

/** Where issuers put a person's name, the one that most configurations use first. */
const usualClaims = ["email", "preferred_username", "sub"] as const;

/**
 * The token that rolegate is to be shown.
 * @throws Error where the provider gave none that rolegate could read
 */
export function usedToken({ token: kind, nameClaim }: SignIn, tokens: Tokens): UsedToken {
  const token = kind === "id" ? tokens.id : tokens.access;
  if (token === undefined)
    throw new Error("the issuer gave no ID token: --scope needs openid, or --token access");
  let claims;
  try {
    // Only its payload is looked at; the rest goes to terminals and into settings, too.
    if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) throw new TypeError("not in the form of RFC 7515");
    claims = decodeJwt(token);
  } catch {
    const instead = kind === "access" ? "; --token id takes the ID token instead" : "";
    throw new Error(`the issuer's ${kind} token is no JWT, which rolegate could not verify${instead}`);
  }
  if (claims.exp === undefined) throw new Error(`the issuer's ${kind} token has no expiry`);
  const candidates: readonly string[] = nameClaim === undefined ? usualClaims : [nameClaim];
  const name = candidates.map((claim) => claims[claim]).find((value) => typeof value === "string");
  if (typeof name !== "string" || !isIdentityName(name))
    throw new Error(
      `the issuer's ${kind} token names nobody in ${candidates.join(", ")}; --name-claim says where`,
    );
  return { token, name, expiresAt: claims.exp * 1000 };
}

/**
 * A token of a context that is good for a while, and the context with it: another one if it had to be renewed.
 * @param now milliseconds since the epoch
 * @throws Error where it has expired and cannot be renewed
 */
export async function freshToken(
  context: Context,
  now: number,
): Promise<{ readonly used: UsedToken; readonly context: Context }> {
  const { signIn, tokens } = context;
  const used = usedToken(signIn, tokens);
  if (used.expiresAt - now > margin) return { used, context };
  if (tokens.refresh === undefined) {
    if (used.expiresAt > now) return { used, context };
    throw new Error("the sign-in has expired, and the issuer gave nothing to renew it with");
  }
  const renewed = { ...context, tokens: await refreshTokens(signIn, { ...tokens, refresh: tokens.refresh }) };
  return { used: usedToken(signIn, renewed.tokens), context: renewed };
}
