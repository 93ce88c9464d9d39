import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const stopDeadline = 5_000; // ms from SIGTERM to SIGKILL

/** A process that stops with the scope that holds it. What it writes to standard error is kept for errors. */
export class Child {
  readonly process: ChildProcess;
  /** Resolves when it has ended, or could not be started. */
  readonly ended: Promise<void>;
  #errors = "";

  constructor(command: string, args: readonly string[], options: SpawnOptions = {}) {
    this.process = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], ...options });
    this.process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#errors = (this.#errors + text).slice(-4_000);
    });
    this.ended = new Promise((resolve) => {
      this.process.once("close", () => resolve());
      this.process.once("error", (error) => {
        this.#errors += error.message;
        resolve();
      });
    });
  }

  /** The end of what it wrote to standard error. */
  get errors(): string {
    return this.#errors.trim();
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  get hasEnded(): boolean {
    return this.pid === undefined || this.process.exitCode !== null || this.process.signalCode !== null;
  }

  /** Resolves when something accepts connections on the port of 127.0.0.1. */
  async untilListening(port: number, deadline = 15_000): Promise<void> {
    for (const end = Date.now() + deadline; Date.now() < end; await sleep(20)) {
      if (this.hasEnded) throw new Error(`${this.process.spawnfile} ended: ${this.errors}`);
      if (await accepts(port)) return;
    }
    throw new Error(`${this.process.spawnfile} does not listen after ${deadline} ms: ${this.errors}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.hasEnded) return;
    this.process.kill("SIGTERM");
    const timer = setTimeout(() => this.process.kill("SIGKILL"), stopDeadline);
    await this.ended;
    clearTimeout(timer);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
