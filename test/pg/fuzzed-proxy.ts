import { readFileSync, rmSync } from "node:fs";
import { Client } from "pg";
import { expect } from "vitest";
import { answer, open } from "./raw-login.ts";
import { writeProxyFiles, type ProxyOptions } from "./running-proxy.ts";
import { serve } from "./served-proxy.ts";
import { createTokenIssuer } from "./token-issuer.ts";

export type FuzzedProxy = {
  readonly port: number;
  readonly directory: string;
  /** Who logs in. */
  readonly identity: string;
  /** The startup packet of that identity. */
  startup(more?: readonly (readonly [string, string])[]): Buffer;
  /** The message that proves it; in clear too. */
  readonly proof: Buffer;
  /** It is there, who is logged in is who they were, and a newcomer can log in. */
  expectAllWell(): Promise<void>;
  /** Resident memory, in megabytes. */
  memory(): number;
  /** Its memory, as it was before, in megabytes, and as much more as V8 takes to compile the grammar anew. */
  expectFlat(before: number): void;
  close(): void;
};

/** A proxy in a process of its own that somebody is going to send hostile bytes to, and a session all the while. */
export async function startFuzzedProxy(
  options: Pick<ProxyOptions, "database" | "roles" | "more">,
): Promise<FuzzedProxy> {
  const { database, roles, more } = options;
  const identity = "sam@example.com";
  const issuer = await createTokenIssuer();
  // For as long as the fuzzers may take.
  const token = await issuer.sign({}, 24 * 3_600);
  const directory = await writeProxyFiles({
    database,
    roles,
    users: {},
    more: { identities: [issuer.entry({ allowPlaintextOnLoopback: true })], ...more },
  });
  const { process: proxy, port } = await serve(directory);
  const login = async (): Promise<Client> => {
    const client = new Client({
      host: "127.0.0.1",
      port,
      user: identity,
      password: token,
      database: database.name,
    });
    client.on("error", () => {});
    await client.connect();
    return client;
  };
  const memory = (): number => {
    const status = readFileSync(`/proc/${proxy.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) / 1024;
  };
  const witness = await login();
  return {
    port,
    directory,
    identity,
    startup: (settings = []) => open.startup([["user", identity], ["database", database.name], ...settings]),
    proof: answer.password(token),
    expectAllWell: async () => {
      expect(proxy.exitCode).toBeNull();
      const client = await login();
      for (const each of [witness, client])
        expect((await each.query("show rolegate.identity")).rows).toEqual([
          { "rolegate.identity": identity },
        ]);
      await client.end();
    },
    memory,
    expectFlat: (before) => {
      const now = memory();
      console.log(`memory: ${before.toFixed()} MB before, ${now.toFixed()} MB after`);
      expect(now - before).toBeLessThan(700);
    },
    close: () => {
      proxy.kill("SIGKILL");
      rmSync(directory, { recursive: true });
    },
  };
}
