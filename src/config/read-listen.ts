import { createPrivateKey, X509Certificate } from "node:crypto";
import type { ListenConfig } from "./config.ts";
import { type Reading, read, report } from "./reading.ts";

/** `listen`, its key checked against its certificate. */
export function readListen(reading: Reading): ListenConfig | undefined {
  const listen = read(reading, ["listen"], reading.schemas.listen);
  if (listen === undefined) return undefined;
  const { address, tls, proxyProtocol } = listen;
  if (tls?.clientCrl !== undefined && tls.clientCa === undefined)
    report(
      reading,
      ["listen", "tls", "clientCrl"],
      "has no effect",
      "clientCa beside it",
      "a list without it",
    );
  const trustedProxies = proxyProtocol?.trusted;
  if (tls === undefined || new X509Certificate(tls.certificate).checkPrivateKey(createPrivateKey(tls.key())))
    return {
      address,
      tls: tls && { ...tls, clientCa: tls.clientCa, clientCrl: tls.clientCrl },
      trustedProxies,
    };
  const expected = "the private key of listen.tls.certificate";
  report(reading, ["listen", "tls", "key"], "wrong key", expected, "the key of another certificate");
  return undefined;
}
