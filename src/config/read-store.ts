import path from "node:path";
import type { StoreConfig } from "./config.ts";
import { read, report, type Reading } from "./reading.ts";
import { defaultStoreDirectory } from "./store-schema.ts";

/** `store`; undefined: there is none, or it is wrong and that is reported. */
export function readStore(reading: Reading): StoreConfig | undefined {
  const given = read(reading, ["store"], reading.schemas.store);
  if (given === undefined) return undefined;
  const { url, login, directory, whenDown, grace } = given;
  if (url === undefined) {
    if (login !== undefined)
      report(reading, ["store", "login"], "goes with store.url", "store.url, or no store.login", "a login");
    const place = path.resolve(reading.sources.directory, directory ?? defaultStoreDirectory);
    return { place: { kind: "embedded", directory: place }, whenDown, grace };
  }
  if (directory !== undefined)
    report(reading, ["store", "directory"], "two stores", "store.url or store.directory", "both");
  if (login !== undefined) return { place: { kind: "server", target: url, login }, whenDown, grace };
  report(reading, ["store", "login"], "missing", "a mapping with user, password");
  return undefined;
}
