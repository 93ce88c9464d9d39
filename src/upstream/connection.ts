import type { Socket } from "node:net";

/** An authenticated connection to the database with one role in force, idle, its socket ours to read and write. */
export type UpstreamConnection = {
  readonly socket: Socket;
  /** The server's process, where it told it. */
  readonly processId: number | undefined;
  /** The last value of each reported setting (ParameterStatus) at the time of hand-over. */
  readonly parameters: ReadonlyMap<string, string>;
  /** The values of the settings that were asked for, by name as asked. */
  readonly settings: ReadonlyMap<string, string>;
  /** Asks the server to cancel what this connection runs, on a connection of its own; resolves when the request was sent. */
  cancel(): Promise<void>;
  /**
   * Closes the socket and cancels what runs: what the server was sent in advance, and has not begun, it does not begin any
   * more. Resolves when the request was sent.
   */
  abandon(): Promise<void>;
  /** Sends Terminate where possible and closes the socket. */
  close(): void;
};
