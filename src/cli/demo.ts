import { once } from "node:events";
import type { Command } from "commander";
import { invitation } from "../demo/invitation.ts";
import { startDemo } from "../demo/start.ts";
import { tour } from "../demo/tour.ts";

/** Adds `rolegate demo` to the program. */
export function registerDemo(program: Command): void {
  program
    .command("demo")
    .description("start a PostgreSQL with a small shop and rolegate before it, show what it does, and stay")
    .option("--once", "only show, then stop")
    .addHelpText("after", "\nExit codes: 0 fine, 1 something was not as it should be, 2 could not run.")
    .action(async ({ once: onlyOnce }: { once?: boolean }) => {
      process.exitCode = await demonstrate(onlyOnce ?? false);
    });
}

async function demonstrate(onlyOnce: boolean): Promise<number> {
  const began = performance.now();
  // Until the demo runs, Ctrl-C simply ends this process; the database notices and stops by itself.
  const demo = await startDemo();
  // Only a first Ctrl-C waits for the clean-up.
  const told = Promise.race(["SIGINT", "SIGTERM", "SIGHUP"].map((signal) => once(process, signal)));
  try {
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    print(
      `rolegate demo: a PostgreSQL with a small shop, and rolegate before it, ready after ${seconds} s\n`,
    );
    const wrong = await tour(demo, print);
    for (const what of wrong) process.stderr.write(`rolegate demo: not as it should be: ${what}\n`);
    if (!onlyOnce) {
      for (const line of invitation(demo)) print(line);
      await told;
    }
    return wrong.length === 0 ? 0 : 1;
  } finally {
    await demo.close();
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
