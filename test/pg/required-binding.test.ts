import { once } from "node:events";
import type { Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { acceptTls, loadTlsServer } from "../../src/net/tls.ts";
import { connectUpstream } from "../../src/upstream/connect.ts";
import { ecdsaSha256, ed25519, type TestCertificate } from "../unit/net/certificates.ts";
import { fakeServer, tell, type FakeServer } from "./fake-server.ts";

// channel_binding=require before somebody who is between us and the server (CVE-2025-49146, CVE-2026-54291).

let server: FakeServer | undefined;
afterEach(() => server?.close());

/** A server with a certificate that is believed, which answers the startup packet with these bytes. */
async function refusal(answer: Buffer, { certificate, key }: TestCertificate = ecdsaSha256) {
  const heard: string[] = [];
  const talk = async (socket: Socket) => {
    await once(socket, "data");
    socket.pause();
    socket.write("S");
    const secured = await acceptTls(socket, loadTlsServer({ certificate, key }));
    await once(secured, "data");
    secured.write(answer);
    secured.on("data", (chunk: Buffer) => heard.push(chunk.toString("latin1")));
  };
  server = await fakeServer(talk);
  const error = await connectUpstream(
    {
      host: "127.0.0.1",
      port: server.port,
      database: "shop",
      tls: { mode: "require", rootCertificate: undefined },
      bound: true,
    },
    { user: "rolegate_reader", password: "the secret" },
    { role: "reader", settings: new Map(), applicationName: "test" },
    3_000,
  ).then(
    () => new Error("it connected"),
    (reason: unknown) => (reason as Error).cause as Error,
  );
  expect(heard.join("")).not.toContain("the secret");
  expect(heard.join("")).not.toMatch(/n,,|y,,/);
  return error.message;
}

const salt = Buffer.from("salt");

test.each([
  ["lets everybody in", tell.welcome()],
  ["asks for the password in clear", tell.authentication(3)],
  ["asks for MD5", tell.authentication(5, salt)],
  ["asks for Kerberos", tell.authentication(7)],
])("a server that %s is refused", async (_what, answer) => {
  expect(await refusal(answer)).toBe("the server does not use SCRAM; channel_binding=require asks for it");
});

test("a server that offers no binding is refused, before it is told anything", async () => {
  expect(await refusal(tell.sasl("SCRAM-SHA-256"))).toBe(
    "the server does not offer SCRAM-SHA-256-PLUS; channel_binding=require asks for it",
  );
});

test("a certificate that has no hash to bind to is refused", async () => {
  expect(await refusal(tell.sasl("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"), ed25519)).toBe(
    "the server's certificate has no hash to bind to; channel_binding=require needs one",
  );
});

test("a server that lets us in in the middle of the exchange is refused", async () => {
  const answer = Buffer.concat([tell.sasl("SCRAM-SHA-256-PLUS"), tell.welcome()]);
  expect(await refusal(answer)).toBe("the server does not use SCRAM; channel_binding=require asks for it");
});
