import { once } from "node:events";
import type { Command } from "commander";
import { formatProblem } from "../document/problem.ts";
import { createLogger } from "../log.ts";
import { startProxy } from "../proxy.ts";
import { limitYoungGeneration } from "./limit-young-generation.ts";
import { loadCheckedConfig } from "./load-config.ts";
import { reloadOnChange } from "./reload.ts";
import { renewTls } from "./renew-tls.ts";

/** Adds `rolegate serve` to the program. */
export function registerServe(program: Command): void {
  program
    .command("serve")
    .description(
      "run the proxy until it is told to stop (SIGTERM or Ctrl-C), then let sessions finish; SIGHUP reads the configuration and the TLS certificate again",
    )
    .option("-c, --config <file>", "the configuration", "rolegate.yaml")
    .option("--drain <seconds>", "how long sessions may finish what they are at", "10")
    .addHelpText(
      "after",
      "\nExit codes: 0 stopped as told, 2 the configuration has problems or it could not run.",
    )
    .action(async ({ config: file, drain }: { config: string; drain: string }) => {
      const seconds = Number(drain);
      if (!(seconds >= 0)) throw new Error("--drain must be a number of seconds");
      const loaded = await loadCheckedConfig(file, process.env);
      if (loaded.kind === "refused") {
        process.stderr.write([...loaded.problems.map(formatProblem), ""].join("\n"));
        process.exitCode = 2;
        return;
      }
      const { config } = loaded;
      limitYoungGeneration();
      const log = createLogger(config.log.level);
      const proxy = await startProxy(config, { log });
      const endRenewal = renewTls(proxy, file, { env: process.env, log, tls: config.listen.tls });
      const endReload = reloadOnChange(proxy, file, { env: process.env, log, roles: config.rolesDirectory });
      await Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
      // Whoever asks twice does not want to wait.
      for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => process.exit(1));
      endRenewal();
      endReload();
      await proxy.close(seconds * 1000);
    });
}
