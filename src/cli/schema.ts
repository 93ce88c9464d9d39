import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import { jsonSchemas } from "../config/json-schema.ts";

const names = { config: "rolegate.schema.json", role: "role.schema.json" } as const;

/** Adds `rolegate schema` to the program. */
export function registerSchema(program: Command): void {
  program
    .command("schema")
    .description("print the JSON Schema of rolegate.yaml or of role files, for editors")
    .argument("[file]", "which of the two: config or role", "config")
    .option("-w, --write <directory>", "write both into a directory instead")
    .action((file: string, options: { write?: string }, command: Command) => {
      if (options.write !== undefined) writeSchemas(options.write);
      else if (file === "config" || file === "role") process.stdout.write(jsonSchemas[names[file]]());
      else command.error(`error: unknown schema: found ${file}, expected config or role`, { exitCode: 2 });
    });
}

function writeSchemas(directory: string): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, schema] of Object.entries(jsonSchemas))
    writeFileSync(path.join(directory, name), schema());
}
