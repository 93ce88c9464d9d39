import type { StoreConfig } from "../config/config.ts";
import type { Logger } from "../log.ts";
import { startEmbeddedStore } from "./embedded.ts";
import { checkSchema, migrate } from "./migrate.ts";
import { Store } from "./store.ts";
import { isUnavailable } from "./unavailable.ts";

/** The store of a configuration, with the server behind it where it is ours. */
export type OpenStore = { readonly store: Store; close(): Promise<void> };

/**
 * Opens the store; an embedded one is started and brought up to date first.
 * @throws SchemaError for a store that this program cannot work with. One that is out of reach is only logged: it is tried
 *   again, and until then decides who may come in by its absence.
 */
export async function openStore({ place }: StoreConfig, log: Logger): Promise<OpenStore> {
  if (place.kind === "embedded") return openEmbedded(place.directory, log);
  const store = new Store({ target: place.target, login: place.login }, log);
  try {
    await checkSchema((sql, values) => store.query(sql, values));
  } catch (error) {
    if (!isUnavailable(error)) {
      await store.close();
      throw error;
    }
    log.warn({ err: error }, "the store is not available yet");
  }
  return { store, close: () => store.close() };
}

async function openEmbedded(directory: string, log: Logger): Promise<OpenStore> {
  const embedded = await startEmbeddedStore(directory);
  try {
    const applied = await migrate(embedded.address);
    log.info({ directory, port: embedded.address.target.port, applied }, "the embedded store runs");
  } catch (error) {
    await embedded.stop();
    throw error;
  }
  const store = new Store(embedded.address, log);
  const close = async (): Promise<void> => {
    await store.close();
    await embedded.stop();
  };
  return { store, close };
}
