import { int32, message, text } from "./writer.ts";

// The Authentication* messages that we send as a server (protocol chapter, "Message Formats": AuthenticationOk …).

export const authenticationOk = message("R", int32(0));

export const authenticationCleartextPassword = message("R", int32(3));

/** The mechanisms that we offer, best first. */
export function authenticationSasl(mechanisms: readonly string[]): Buffer {
  const names = mechanisms.map((name) => text(name, "mechanism"));
  return message("R", int32(10), ...names, Buffer.of(0));
}

export function authenticationSaslContinue(data: string): Buffer {
  return message("R", int32(11), Buffer.from(data, "utf8"));
}

export function authenticationSaslFinal(data: string): Buffer {
  return message("R", int32(12), Buffer.from(data, "utf8"));
}
