import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";

/** One step of the store's schema, in a file of plain SQL. */
export type Migration = {
  readonly number: number;
  /** The file's. */
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file, in hex: what was applied must be what stands here. */
  readonly checksum: string;
};

const ours = new URL("../../migrations/", import.meta.url);

/**
 * The migrations of a directory (`NNNN-name.sql`), in their order.
 * @throws Error for a file of another name, or a number that is missing or there twice
 */
export function readMigrations(directory: URL = ours): readonly Migration[] {
  return readdirSync(directory)
    .toSorted()
    .map((name, index) => {
      const number = Number(/^(\d{4})-[a-z0-9-]+\.sql$/.exec(name)?.[1]);
      if (number !== index + 1)
        throw new Error(`migrations: found ${name}, expected number ${index + 1} as NNNN-name.sql`);
      const sql = readFileSync(new URL(name, directory), "utf8");
      return { number, name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
    });
}
