import type { Config } from "../config/config.ts";
import type { StoreAddress } from "../store/connection.ts";
import { embeddedAddress } from "../store/embedded.ts";

/**
 * Where a command finds the store of a configuration.
 * @throws Error that says what to write where there is none
 */
export function storeAddress({ store }: Pick<Config, "store">): StoreAddress {
  if (store === undefined)
    throw new Error(
      "there is no store: found no `store` in the configuration, expected one (`store: {}` brings a PostgreSQL along)",
    );
  const { place } = store;
  if (place.kind === "server") return { target: place.target, login: place.login };
  return embeddedAddress(place.directory);
}
