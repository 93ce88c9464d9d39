import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Client } from "pg";
import { expect, test } from "vitest";

const rolegate = fileURLToPath(new URL("../../bin/rolegate.js", import.meta.url));

type RunningDemo = { readonly process: ChildProcess; readonly output: string; readonly directory: string };

/** Starts `rolegate demo` as a user would and waits until it stays. */
async function demo(): Promise<RunningDemo> {
  const process = spawn("node", [rolegate, "demo"], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  for await (const chunk of process.stdout) {
    output += String(chunk);
    const file = /^ +(\S+rolegate\.yaml)$/m.exec(output)?.[1];
    if (file !== undefined) {
      process.stdout.resume();
      return { process, output, directory: dirname(dirname(file)) };
    }
  }
  throw new Error(`the demo ended: ${output}`);
}

async function gone(directory: string): Promise<boolean> {
  for (let tries = 0; tries < 100 && existsSync(directory); tries++) await sleep(100);
  return !existsSync(directory);
}

test("two demos run side by side, take connections as they print them, and leave nothing behind", async () => {
  const demos = await Promise.all([demo(), demo()]);
  for (const { output } of demos) {
    const url = /^ +(postgres:\/\/alice\S+)$/m.exec(output)?.[1];
    const client = new Client({ connectionString: url! });
    await client.connect();
    const { rows } = await client.query("select count(*)::int as customers from customers");
    expect(rows).toEqual([{ customers: 20 }]);
    await client.end();
  }
  const [interrupted, killed] = demos;
  const ended = once(interrupted.process, "exit");
  interrupted.process.kill("SIGINT");
  expect(await ended).toEqual([0, null]);
  expect(existsSync(interrupted.directory)).toBe(false);

  // Its database has nobody left to stop it.
  killed.process.kill("SIGKILL");
  expect(await gone(killed.directory)).toBe(true);
});

test("the tour alone ends by itself", async () => {
  const process = spawn("node", [rolegate, "demo", "--once"], { stdio: ["ignore", "ignore", "inherit"] });
  expect(await once(process, "exit")).toEqual([0, null]);
});
