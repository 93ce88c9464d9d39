import type { Judged, Runnable } from "./judged.ts";
import type { Named } from "./names.ts";

/** What the server still owes an answer for: one kind for each message of the client that is answered. */
export const Expect = {
  query: 1,
  parse: 2,
  bind: 3,
  describeStatement: 4,
  describePortal: 5,
  execute: 6,
  closeStatement: 7,
  closePortal: 8,
  sync: 9,
} as const;
export type Expect = (typeof Expect)[keyof typeof Expect];

/** Most sessions never have more outstanding than one pipeline of Parse, Bind, Describe, Execute and Sync; V8 keeps 64 bytes of numbers without memory of their own. */
const firstCapacity = 8;

/**
 * The answers that are outstanding, in the order in which the server will give them. A ring of columns instead of a
 * queue of objects: in the steady state a message costs no allocation.
 *
 * `push` gives a slot whose columns the caller then fills; what each column holds depends on the kind.
 */
export class ExpectedReplies {
  /** How many are outstanding. */
  length = 0;
  /** The slot of the oldest; meaningful while `length` is not 0. */
  head = 0;

  kinds = new Uint8Array(firstCapacity);
  /** query, parse: the text. */
  judged: (Judged | undefined)[] = empty(firstCapacity);
  /** All but query, parse and sync: what the name stood for when the message was sent. */
  runnables: (Runnable | undefined)[] = empty(firstCapacity);
  /** The ErrorResponse that takes the place of the server's, where we sent something that must fail. */
  refusals: (Buffer | undefined)[] = empty(firstCapacity);
  /** parse, bind, close: which name changed, and what it stood for before. */
  names: string[] = Array.from({ length: firstCapacity }, () => "");
  previous: (Named | undefined)[] = empty(firstCapacity);
  /** parse, bind, close: the number of the change; query, execute: the number of the (first) statement on record. */
  numbers = new Float64Array(firstCapacity);
  /** query, sync: the group that it ends. */
  groups = new Float64Array(firstCapacity);
  /** query, execute: when it was sent, in milliseconds. */
  started = new Float64Array(firstCapacity);
  /** execute: its limit of rows. */
  limits = new Int32Array(firstCapacity);

  /** Adds an expectation; its other columns hold what an earlier one left there, except `refusals`, which is cleared. */
  push(kind: Expect): number {
    if (this.length === this.kinds.length) this.#grow();
    const slot = (this.head + this.length) & (this.kinds.length - 1);
    this.length++;
    this.kinds[slot] = kind;
    this.refusals[slot] = undefined;
    return slot;
  }

  /** The kind of the oldest; 0 if nothing is outstanding. */
  get headKind(): number {
    return this.length === 0 ? 0 : this.kinds[this.head]!;
  }

  pop(): void {
    this.head = (this.head + 1) & (this.kinds.length - 1);
    this.length--;
  }

  /** The slot of the one `offset` behind the oldest. */
  slotAt(offset: number): number {
    return (this.head + offset) & (this.kinds.length - 1);
  }

  #grow(): void {
    const from = this.kinds.length;
    const order = Array.from({ length: from }, (_, offset) => this.slotAt(offset));
    const numeric = <Column extends Uint8Array | Float64Array | Int32Array>(
      column: Column,
      grown: Column,
    ) => {
      order.forEach((slot, index) => (grown[index] = column[slot]!));
      return grown;
    };
    const listed = <Value>(column: Value[], filler: Value) => [
      ...order.map((slot) => column[slot]!),
      ...Array.from({ length: from }, () => filler),
    ];
    this.kinds = numeric(this.kinds, new Uint8Array(2 * from));
    this.judged = listed(this.judged, undefined);
    this.runnables = listed(this.runnables, undefined);
    this.refusals = listed(this.refusals, undefined);
    this.names = listed(this.names, "");
    this.previous = listed(this.previous, undefined);
    this.numbers = numeric(this.numbers, new Float64Array(2 * from));
    this.groups = numeric(this.groups, new Float64Array(2 * from));
    this.started = numeric(this.started, new Float64Array(2 * from));
    this.limits = numeric(this.limits, new Int32Array(2 * from));
    this.head = 0;
  }
}

function empty(length: number): undefined[] {
  return Array.from({ length }, () => undefined);
}
