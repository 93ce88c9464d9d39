import { Connection } from "pg";
import type { UpstreamTarget } from "../config/config.ts";
import { LoginClient } from "../upstream/login-client.ts";
import { isPrivate, tlsOptions, type UpstreamLogin } from "../upstream/target.ts";

/** Where the store is, and who rolegate is there. */
export type StoreAddress = { readonly target: UpstreamTarget; readonly login: UpstreamLogin };

/** No path but the server's own: every name in our SQL says its schema. What hangs is given up by the server, too. */
const options =
  "-c search_path=pg_catalog,pg_temp -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s -c client_min_messages=warning";

/** A client of the store that is not connected yet, with the rules of TLS and passwords that hold for databases. */
export function storeClient({ target, login }: StoreAddress): LoginClient {
  const { user } = login;
  const parameters = { user, database: target.database, application_name: "rolegate store", options };
  const connection = new Connection({
    ssl: target.tls === undefined ? false : tlsOptions(target.tls),
    keepAlive: true,
  });
  const client = new LoginClient(target, login, parameters, connection);
  if (!isPrivate(target)) requireProof(connection);
  // What breaks shows at the next query; without a listener it would end the process.
  client.on("error", () => {});
  return client;
}

/**
 * What the store says is who was revoked and what was granted. Whoever takes the port of one that has ended, on this machine
 * or on the way, would let clients in without asking for anything; by SCRAM a server proves that it knows the password.
 */
function requireProof(connection: Connection): void {
  let proven = false;
  connection.on("authenticationSASLFinal", () => (proven = true));
  connection.on("authenticationOk", () => {
    if (proven) return;
    connection.emit(
      "error",
      new Error("the store asked for no password by SCRAM; that needs sslmode=verify-full or a Unix socket"),
    );
  });
}

/** Closes it without waiting for a server that may never answer. */
export function destroyClient(client: LoginClient): void {
  const { connection } = client as unknown as { connection: Connection };
  connection.stream.destroy();
}
