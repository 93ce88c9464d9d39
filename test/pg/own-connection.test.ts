import { expect, test } from "vitest";
import { ownConnection, tell } from "../../src/cli/own-connection.ts";
import { int32, message } from "../../src/wire/writer.ts";
import { fakeServer } from "./fake-server.ts";

test.each([
  ["the password itself", message("R", int32(3))],
  ["an MD5 hash of it", message("R", int32(5), int32(4711))],
])("a server that nobody has verified does not get %s by asking for it", async (_what, asking) => {
  const server = await fakeServer(async (socket, heard) => {
    await heard();
    socket.write(asking);
    await heard();
  });
  const secret = "token-of-alice";
  // As far as the command can tell another machine.
  const connection = ownConnection(`postgres://alice:${secret}@0.0.0.0:${server.port}/shop`, {});
  await expect(tell(connection, "SHOW REQUESTS")).rejects.toThrow(/sslmode=verify-full/);
  expect(Buffer.concat(server.received).toString("latin1")).not.toMatch(/token-of-alice|md5/);
  await server.close();
});
