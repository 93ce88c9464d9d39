import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { loadConfig } from "../src/config/load.ts";
import { createLogger } from "../src/log.ts";
import { startProxy } from "../src/proxy.ts";
import { makeVerifier } from "../src/scram/verifier.ts";
import { int32, message, text } from "../src/wire/writer.ts";
import { median } from "./statistics.ts";

const triesPerRound = 1_000;
const users = 50;

/** Beyond this a name that exists could be told from one that does not, by asking long enough; chance gives 0.01. */
const bound = 0.05;

const ways = ["password", "token", "rejected"] as const;

type Times = { readonly known: number[]; readonly unknown: number[] };

/**
 * Whether the time that a refusal takes tells if the name exists: asks for both in turns, in an order of chance, always with
 * a wrong secret, and says how often a known name took longer than an unknown one. Half of the time is what chance gives.
 */
export async function runNames(rounds: number, json: string | undefined): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "rolegate-bench-names-"));
  const token = await writeConfiguration(directory);
  const loaded = loadConfig(join(directory, "rolegate.yaml"), { LOGIN: "nobody asks for it" });
  if (loaded.kind === "refused") throw new Error(JSON.stringify(loaded.problems));
  const proxy = await startProxy(loaded.config, { log: createLogger("silent") });
  try {
    const results = [];
    for (const way of ways) {
      const secret = way === "token" ? token : undefined;
      const times: Times = { known: [], unknown: [] };
      await ask(proxy.port, way, 200, secret);
      for (let round = 0; round < rounds; round++) {
        const more = await ask(proxy.port, way, triesPerRound, secret);
        times.known.push(...more.known);
        times.unknown.push(...more.unknown);
      }
      const longer = knownTookLonger(times);
      const result = {
        way,
        tries: times.known.length,
        known: median(times.known),
        unknown: median(times.unknown),
        longer,
        told: Math.abs(longer - 0.5) > bound,
      };
      results.push(result);
      console.log(
        `${way.padEnd(10)} known ${result.known.toFixed(3)} ms, unknown ${result.unknown.toFixed(3)} ms, ` +
          `known took longer in ${(100 * longer).toFixed(1)} % of pairs: ` +
          (result.told ? "THEY CAN BE TOLD APART" : "cannot be told apart"),
      );
    }
    if (json !== undefined) writeFileSync(json, JSON.stringify(results, undefined, 2));
    if (results.some(({ told }) => told)) process.exitCode = 1;
  } finally {
    await proxy.close(0);
    rmSync(directory, { recursive: true, force: true });
  }
}

async function ask(port: number, way: string, tries: number, token: string | undefined): Promise<Times> {
  const times: Times = { known: [], unknown: [] };
  for (let n = 0; n < tries; n++) {
    const order = Math.random() < 0.5 ? (["known", "unknown"] as const) : (["unknown", "known"] as const);
    // Names of one length; an unknown one is asked for as often as a known one.
    for (const which of order) {
      const name = `${way}-${which === "known" ? "user" : "none"}-${String(n % users).padStart(2, "0")}`;
      times[which].push(await refusal(port, name, token));
    }
  }
  return times;
}

/** Milliseconds from the first byte sent to the end of the refusal. */
async function refusal(port: number, user: string, token: string | undefined): Promise<number> {
  const socket = connect(port, "127.0.0.1");
  socket.setNoDelay(true);
  await once(socket, "connect");
  const startup = Buffer.concat([
    int32(3 << 16),
    ...["user", user, "database", "bench"].map((part) => text(part, "parameter")),
    Buffer.of(0),
  ]);
  const began = performance.now();
  socket.write(Buffer.concat([int32(startup.length + 4), startup]));
  let received = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    if (received.length < 9 || received.length < 1 + received.readUInt32BE(1) || received[0] !== 0x52) return;
    const asked = received.readUInt32BE(5);
    const body = received.toString("latin1", 9);
    received = Buffer.alloc(0);
    if (asked === 3) socket.write(message("p", text(token ?? "", "token")));
    if (asked === 10) {
      const first = Buffer.from("n,,n=,r=client-nonce");
      socket.write(message("p", text("SCRAM-SHA-256", "mechanism"), int32(first.length), first));
    }
    if (asked === 11) {
      const nonce = body.slice(2, body.indexOf(","));
      const proof = createHash("sha256").update(nonce).digest("base64");
      socket.write(message("p", Buffer.from(`c=biws,r=${nonce},p=${proof}`)));
    }
  });
  await once(socket, "end");
  const took = performance.now() - began;
  socket.destroy();
  return took;
}

/** Of all pairs of a known and an unknown name, in how many the known one took longer (Mann and Whitney's U). */
function knownTookLonger({ known, unknown }: Times): number {
  const all = [
    ...known.map((time) => ({ time, known: true })),
    ...unknown.map((time) => ({ time, known: false })),
  ].toSorted((a, b) => a.time - b.time);
  let ranks = 0;
  for (const [index, one] of all.entries()) if (one.known) ranks += index + 1;
  const smallest = (known.length * (known.length + 1)) / 2;
  return (ranks - smallest) / (known.length * unknown.length);
}

/** @returns a token that another key has signed */
async function writeConfiguration(directory: string): Promise<string> {
  const [own, other] = await Promise.all([generateKeyPair("ES256"), generateKeyPair("ES256")]);
  const key = { ...(await exportJWK(own.publicKey)), kid: "one", alg: "ES256" };
  const verifiers = await Promise.all(
    Array.from({ length: users }, () => makeVerifier("the right one", { salt: randomBytes(16) })),
  );
  const lines = ways.flatMap((way) =>
    verifiers.map(
      (verifier, n) => `      ${way}-user-${String(n).padStart(2, "0")}: { verifier: "${verifier}" }`,
    ),
  );
  mkdirSync(join(directory, "roles"));
  writeFileSync(join(directory, "jwks.json"), JSON.stringify({ keys: [key] }));
  writeFileSync(
    join(directory, "roles/bench.yaml"),
    "role: bench\ndatabase: bench\ntables: { t: { select: all } }\n",
  );
  writeFileSync(
    join(directory, "rolegate.yaml"),
    `listen: { address: "127.0.0.1:0" }
databases:
  bench:
    upstream: postgres://127.0.0.1:1/bench?sslmode=disable
    login: { password: { env: LOGIN } }
identities:
  - type: password
    users:
${lines.join("\n")}
  - { type: jwt, issuer: https://id.bench, audience: rolegate, jwks: jwks.json, allowPlaintextOnLoopback: true }
authentication:
  - { user: "rejected-*", method: reject }
  - { user: "token-*", method: jwt }
  - { method: password }
access:
  - { role: bench, database: bench, when: "true" }
limits: { failedLogins: { trusted: [127.0.0.0/8] } }
`,
  );
  return new SignJWT({ sub: "somebody" })
    .setProtectedHeader({ alg: "ES256", kid: "one" })
    .setIssuer("https://id.bench")
    .setAudience("rolegate")
    .setExpirationTime("1h")
    .sign(other.privateKey);
}
