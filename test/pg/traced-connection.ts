import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, type ClientConfig } from "pg";
import { trace } from "../../src/wire/trace.ts";
import { int32 } from "../../src/wire/writer.ts";
import { converse } from "./plain-connection.ts";
import { say } from "./raw-connection.ts";
import { open } from "./raw-login.ts";
import type { Script } from "./trace-script.ts";

/** How the bytes of a script are sent: with its pauses or without; in pieces of so many bytes. */
export type Way = { readonly waits: boolean; readonly cut: number | undefined };

/** A connection on which scripts are run, one behind the other; a new one takes its place where it was closed. */
export type Traced = {
  /** A line for each message that came back, `closed` behind the last if the connection was closed. */
  run(script: Script, way: Way): Promise<string[]>;
  close(): void;
};

const mark = 'DataRow "the end of the script"';

/** Leaves nothing of a script behind, and says where its answers end. */
const ending = [
  say.sync,
  say.query("rollback"),
  say.query("discard all"),
  say.query("select 'the end of the script'"),
];

/** How long a script may take. */
const patience = 10_000;

export async function openTraced(config: ClientConfig): Promise<Traced> {
  let main = await Conversation.open(config);
  const other = await Conversation.open(config);

  async function play({ steps, together, closes }: Script, way: Way): Promise<void> {
    const waited = new Map<string, number>();
    let unsent: Buffer[] = [];
    const send = async () => {
      await main.send(Buffer.concat(unsent), together ? undefined : way.cut);
      unsent = [];
    };
    for (const step of steps) {
      if (step.kind === "send") unsent.push(step.bytes);
      else if (step.kind === "other") {
        await send();
        await other.send(step.bytes, undefined);
        await other.until((lines) => lines.at(-1)?.startsWith("ReadyForQuery") === true);
        other.take();
      } else if (step.kind === "cancel") {
        await send();
        await sleep(150);
        await converse(config.port!, open.cancel(main.processId, main.key));
        await sleep(100);
      } else if (way.waits) {
        await send();
        const times = 1 + (waited.get(step.line) ?? 0);
        waited.set(step.line, times);
        await main.until((lines) => lines.filter((line) => line.startsWith(step.line)).length >= times);
      }
    }
    if (closes) {
      // Whole, for what is left unread makes the server reset the connection, and its last words are lost.
      const last = unsent.pop()!;
      await send();
      await main.send(last, undefined);
      return main.until(() => false);
    }
    unsent.push(...ending);
    await send();
    return main.until((lines) => lines.at(-3) === mark);
  }

  return {
    run: async (script, way) => {
      const timer = setTimeout(() => main.stop(), patience);
      await play(script, way);
      clearTimeout(timer);
      const lines = inOrder(main.take()).map((line) => other.named(main.named(line, "own"), "the other's"));
      if (!main.closed) return lines;
      main = await Conversation.open(config);
      return [...lines, "closed"];
    },
    close: () => {
      main.stop();
      other.stop();
    },
  };
}

/** Settings that change at the same time are reported in an order of the server's that depends on earlier ones. */
function inOrder(lines: readonly string[]): string[] {
  const runs: string[][] = [];
  for (const line of lines) {
    const run = runs.at(-1);
    if (line.startsWith("ParameterStatus") && run?.[0]?.startsWith("ParameterStatus") === true)
      run.push(line);
    else runs.push([line]);
  }
  return runs.flatMap((run) => run.toSorted());
}

class Conversation {
  readonly processId: number;
  readonly key: Buffer;
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #changed: (() => void) | undefined;
  closed = false;

  /** Logs in with node-postgres, then takes its socket. */
  static async open(config: ClientConfig): Promise<Conversation> {
    const client = new Client(config);
    client.on("error", () => {});
    await client.connect();
    return new Conversation(client);
  }

  private constructor(client: Client) {
    const { processID, secretKey, connection } = client as unknown as {
      processID: number;
      secretKey: number;
      connection: { stream: Socket };
    };
    this.processId = processID;
    this.key = int32(secretKey);
    const socket = (this.#socket = connection.stream);
    for (const event of ["data", "error", "close", "end"]) socket.removeAllListeners(event);
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#changed?.();
    });
    socket.on("close", () => {
      this.closed = true;
      this.#changed?.();
    });
  }

  async send(bytes: Buffer, cut: number | undefined): Promise<void> {
    if (cut === undefined || bytes.length > 10_000) return void this.#socket.write(bytes);
    for (let at = 0; at < bytes.length; at += cut) {
      this.#socket.write(bytes.subarray(at, at + cut));
      if (at % 5 === 0) await new Promise(setImmediate);
    }
    return undefined;
  }

  async until(done: (lines: readonly string[]) => boolean): Promise<void> {
    while (!this.closed && !done(trace(this.#received, "server")))
      await new Promise<void>((resolve) => (this.#changed = resolve));
  }

  /** A line for each message so far; RowDescriptions with all of their bytes. They are forgotten. */
  take(): string[] {
    const bytes = this.#received;
    this.#received = Buffer.alloc(0);
    let at = 0;
    return trace(bytes, "server").map((line) => {
      const start = at;
      at += 1 + (bytes.length - at < 5 ? 4 : bytes.readUInt32BE(at + 1));
      return line.startsWith("RowDescription ") ? `${line} ${bytes.toString("hex", start + 5, at)}` : line;
    });
  }

  /** The line with a name in the place of a process id. */
  named(line: string, whose: string): string {
    return line.replace(`Notification ${this.processId} `, `Notification ${whose} `);
  }

  stop(): void {
    this.#socket.destroy();
  }
}
