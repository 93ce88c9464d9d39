import { createHash, createHmac, hkdfSync, pbkdf2 } from "node:crypto";
import { decodeBase64 } from "./base64.ts";
import { saslprep } from "./saslprep.ts";

/** What a server keeps of a password (RFC 5802, section 3): it proves a client right, and cannot log in itself. */
export type Verifier = {
  readonly iterations: number;
  readonly salt: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
  /** Stands in for a name that does not exist: an exchange with it looks the same and always fails. */
  readonly mock: boolean;
};

/** SCRAM_SHA_256_DEFAULT_ITERATIONS of PostgreSQL's common/scram-common.h, and the least that RFC 7677 allows. */
const defaultIterations = 4096;

/** SCRAM_DEFAULT_SALT_LEN of the same file, in bytes. */
export const saltBytes = 16;

const keyBytes = 32;
const form = /^SCRAM-SHA-256\$([1-9]\d{0,9}):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)$/;

/**
 * Reads a verifier in PostgreSQL's form, as in pg_authid.rolpassword:
 * `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, the last three in base64. Undefined if it is not one.
 */
export function parseVerifier(text: string): Verifier | undefined {
  const [, iterations, salt, storedKey, serverKey] = (form.exec(text) ?? []).map((part, index) =>
    index < 2 ? part : decodeBase64(part),
  );
  if (typeof iterations !== "string" || Number(iterations) > 0x7fffffff) return undefined;
  if (!Buffer.isBuffer(salt) || !isKey(storedKey) || !isKey(serverKey)) return undefined;
  return { iterations: Number(iterations), salt, storedKey, serverKey, mock: false };
}

function isKey(part: string | Buffer | undefined): part is Buffer {
  return Buffer.isBuffer(part) && part.length === keyBytes;
}

/**
 * Makes the verifier of a password, in the form that `parseVerifier` reads. The costly derivation runs in the thread
 * pool. `salt`: random, `saltBytes` long; `iterations`: 4096 by default, more costs every client's log-in as much.
 * @throws TypeError for iterations below 1 or a salt of no bytes
 */
export async function makeVerifier(
  password: string,
  { iterations = defaultIterations, salt }: { readonly iterations?: number; readonly salt: Buffer },
): Promise<string> {
  if (!Number.isInteger(iterations) || iterations < 1 || iterations > 0x7fffffff) {
    throw new TypeError("iterations must be a whole number from 1 to 2147483647");
  }
  if (salt.length === 0) throw new TypeError("salt must have at least one byte");
  const salted = await new Promise<Buffer>((resolve, reject) => {
    pbkdf2(saslprep(password), salt, iterations, keyBytes, "sha256", (error, key) => {
      if (error) reject(error);
      else resolve(key);
    });
  });
  const storedKey = createHash("sha256").update(hmac(salted, "Client Key")).digest("base64");
  const serverKey = hmac(salted, "Server Key").toString("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}

/** What of a verifier a client sees before it has proved anything. */
export type VerifierForm = { readonly iterations: number; readonly saltBytes: number };

const usualForm: VerifierForm = { iterations: defaultIterations, saltBytes };

/**
 * A verifier for a name that does not exist: the same one for the same name and secret, so that asking twice tells
 * nothing either. `secret`: random, the same for longer than a process lives; `form`: that of the real verifiers.
 */
export function mockVerifier(name: string, secret: Buffer, form: VerifierForm = usualForm): Verifier {
  const derived = (purpose: string) => hmac(secret, `${purpose}\0${name}`);
  const salt = Buffer.from(hkdfSync("sha256", secret, name, "salt", form.saltBytes));
  return {
    iterations: form.iterations,
    salt,
    storedKey: derived("stored key"),
    serverKey: derived("server key"),
    mock: true,
  };
}

/** HMAC-SHA-256. */
export function hmac(key: Buffer, data: string | Buffer): Buffer {
  return createHmac("sha256", key).update(data).digest();
}
