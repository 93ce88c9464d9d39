import type { Command } from "commander";
import { contextDirectory, exclusively, readContext, removeContext } from "../client/context-files.ts";
import type { Context } from "../client/context.ts";
import { revokeTokens } from "../client/provider.ts";

/** Adds `rolegate logout` to the program. */
export function registerLogout(program: Command): void {
  program
    .command("logout")
    .description("forget a sign-in: tell the provider to revoke its tokens, and remove what was kept")
    .option("-n, --name <name>", "which sign-in", "default")
    .addHelpText(
      "after",
      "\nExit codes: 0 forgotten, 1 forgotten here but not by the provider, 2 there was none.",
    )
    .action(async ({ name }: { name: string }) => {
      const directory = contextDirectory(process.env);
      const kept = (): Context => {
        const context = readContext(directory, name);
        if (context !== undefined) return context;
        throw new Error(`nobody is signed in under the name ${name}`);
      };
      kept();
      const context = await exclusively(directory, name, async () => {
        const last = kept();
        // First here: whatever the provider says, the tokens are gone from this machine.
        removeContext(directory, name);
        return last;
      });
      try {
        const revoked = await revokeTokens(context.signIn, context.tokens);
        process.stdout.write(revoked ? "signed out\n" : "signed out; the provider cannot revoke tokens\n");
      } catch (error) {
        process.stderr.write(
          `rolegate: signed out here; ${error instanceof Error ? error.message : "an error"}\n`,
        );
        process.exitCode = 1;
      }
    });
}
