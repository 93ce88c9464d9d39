import { connect, createServer, type AddressInfo } from "node:net";

// The process that pipe.ts starts: forwards every connection to the port given as argument.
const upstream = { host: "127.0.0.1", port: Number(process.argv[2]), noDelay: true };

const server = createServer({ noDelay: true }, (client) => {
  const database = connect(upstream);
  client.pipe(database).pipe(client);
  // One side's failure ends both; pgbench reports what it sees of it.
  client.on("error", () => database.destroy());
  database.on("error", () => client.destroy());
});
server.listen(0, "127.0.0.1", () => process.send!((server.address() as AddressInfo).port));

process.on("disconnect", () => process.exit());
