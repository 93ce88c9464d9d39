import type { Command } from "commander";
import { formatProblem } from "../document/problem.ts";
import { isUnavailable } from "../store/unavailable.ts";
import { migrate } from "../store/migrate.ts";
import { loadCheckedConfig } from "./load-config.ts";
import { awayMessage } from "./with-store.ts";
import { storeAddress } from "./store-address.ts";

/** Adds `rolegate migrate` to the program. */
export function registerMigrate(program: Command): void {
  program
    .command("migrate")
    .description("bring the store's schema up to this version; safe to run from several places at once")
    .option("-c, --config <file>", "the configuration", "rolegate.yaml")
    .addHelpText("after", "\nForward only. Exit codes: 0 fine, 2 could not run.")
    .action(async ({ config: file }: { config: string }) => {
      const loaded = await loadCheckedConfig(file, process.env);
      if (loaded.kind === "refused") {
        process.stderr.write([...loaded.problems.map(formatProblem), ""].join("\n"));
        process.exitCode = 2;
        return;
      }
      const done = await migrate(storeAddress(loaded.config)).catch((error: unknown) => {
        throw isUnavailable(error) ? new Error(awayMessage(error)) : error;
      });
      process.stdout.write(done.map((name) => `applied ${name}\n`).join(""));
      process.stderr.write(done.length === 0 ? "the store is up to date\n" : `${done.length} applied\n`);
    });
}
