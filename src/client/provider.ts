import { readFileSync } from "node:fs";
import {
  allowInsecureRequests,
  ClientError,
  type Configuration,
  customFetch,
  discovery,
  initiateDeviceAuthorization,
  None,
  pollDeviceAuthorizationGrant,
  refreshTokenGrant,
  ResponseBodyError,
  tokenRevocation,
} from "openid-client";
import { fetchableUrl } from "../identity/fetchable-url.ts";
import type { SignIn, Tokens } from "./context.ts";

/** What a person has to do, as the provider says; printable. */
export type DevicePrompt = {
  readonly url: string;
  readonly code: string;
  /** The address with the code in it, where the provider gives one. */
  readonly complete: string | undefined;
};

/**
 * Signs a person in by the device flow (RFC 8628): they open a page wherever they like and enter a code, and this waits.
 * @param show called once, with what they have to do
 * @throws Error in words that hold no secret
 */
export function signInByDevice(
  signIn: SignIn,
  show: (prompt: DevicePrompt) => void,
  signal?: AbortSignal,
): Promise<Tokens> {
  return inOurWords(async () => {
    const provider = await providerOf(signIn);
    if (provider.serverMetadata().device_authorization_endpoint === undefined)
      throw new Error("the issuer has no device flow (RFC 8628)");
    const asked = { ...signIn.parameters, scope: signIn.scope };
    const started = await initiateDeviceAuthorization(provider, asked);
    show({
      url: pageAddress(started.verification_uri),
      code: printable(started.user_code),
      complete: started.verification_uri_complete && pageAddress(started.verification_uri_complete),
    });
    const given = await pollDeviceAuthorizationGrant(
      provider,
      started,
      signIn.parameters,
      signal && { signal },
    );
    return tokensOf(given, {});
  });
}

/**
 * New tokens for a refresh token.
 * @throws Error in words that hold no secret
 */
export function refreshTokens(
  signIn: SignIn,
  tokens: Tokens & { readonly refresh: string },
): Promise<Tokens> {
  return inOurWords(async () => {
    const provider = await providerOf(signIn);
    // A provider that does not rotate them sends no new one: the old one stays good.
    return tokensOf(await refreshTokenGrant(provider, tokens.refresh, signIn.parameters), tokens);
  });
}

/**
 * Tells the provider to forget the sign-in (RFC 7009); false: it has no way to be told.
 * @throws Error in words that hold no secret
 */
export function revokeTokens(signIn: SignIn, { refresh, access }: Tokens): Promise<boolean> {
  return inOurWords(async () => {
    const provider = await providerOf(signIn);
    if (provider.serverMetadata().revocation_endpoint === undefined) return false;
    const hint = refresh === undefined ? "access_token" : "refresh_token";
    await tokenRevocation(provider, refresh ?? access, { token_type_hint: hint });
    return true;
  });
}

async function providerOf({ issuer, clientId, clientSecretFile }: SignIn): Promise<Configuration> {
  const fetchable = fetchableUrl(issuer);
  if (fetchable.kind === "refused")
    throw new Error(`--issuer: found ${fetchable.found}, expected an https:// URL`);
  const { url } = fetchable;
  const secret = clientSecretFile === undefined ? undefined : readFileSync(clientSecretFile, "utf8").trim();
  const execute = url.protocol === "http:" ? [allowInsecureRequests] : [];
  const provider =
    secret === undefined
      ? await discovery(url, clientId, undefined, None(), { execute })
      : await discovery(url, clientId, secret, undefined, { execute });
  const { device_authorization_endpoint: device } = provider.serverMetadata();
  provider[customFetch] = async (address, options) => {
    const response = await fetch(address, options as RequestInit);
    if (address !== device || response.status !== 200) return response;
    return Response.json(withVerificationUri(await response.json()));
  };
  return provider;
}

/** Google's answer is older than RFC 8628, and calls the page `verification_url`. */
export function withVerificationUri(answer: unknown): unknown {
  return typeof answer === "object" && answer !== null && "verification_url" in answer
    ? { verification_uri: answer.verification_url, ...answer }
    : answer;
}

type Given = { readonly access_token: string; readonly id_token?: string; readonly refresh_token?: string };

function tokensOf({ access_token, id_token, refresh_token }: Given, before: Partial<Tokens>): Tokens {
  const refresh = refresh_token ?? before.refresh;
  return {
    access: access_token,
    ...(id_token === undefined ? {} : { id: id_token }),
    ...(refresh === undefined ? {} : { refresh }),
  };
}

/** The library's errors carry the provider's answer, and with it tokens and codes: only messages are ever printed. */
async function inOurWords<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ResponseBodyError)
      throw new Error(`the issuer refused: ${printable(error.error)}`, { cause: error });
    if (error instanceof ClientError || error instanceof TypeError)
      throw new Error(`the issuer cannot be asked: ${printable(error.message)}`, { cause: error });
    throw error;
  }
}

function pageAddress(address: string): string {
  const url = URL.parse(address);
  if (url?.protocol !== "https:" && url?.protocol !== "http:")
    throw new Error("the issuer named no page to sign in at");
  return url.href;
}

/** A terminal acts on control characters, whoever sent them. */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 200);
}
