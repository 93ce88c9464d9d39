// Client libraries that come without types: what the tests use of them.

declare module "pg-copy-streams" {
  import type { Submittable } from "pg";
  import type { Readable, Writable } from "node:stream";

  export function from(sql: string): Writable & Submittable;
  export function to(sql: string): Readable & Submittable;
}

declare module "pg-cursor" {
  import type { Submittable } from "pg";

  export default class Cursor implements Submittable {
    constructor(sql: string, values?: unknown[]);
    submit(connection: unknown): void;
    read(rows: number): Promise<Record<string, unknown>[]>;
    close(): Promise<void>;
  }
}

declare module "oidc-provider" {
  import type { IncomingMessage, ServerResponse } from "node:http";

  export class Provider {
    constructor(issuer: string, configuration: Readonly<Record<string, unknown>>);
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  }
}
