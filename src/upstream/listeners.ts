import type { EventEmitter } from "node:events";

/** The listeners that an emitter had at one moment, by event. */
export type Listeners = ReadonlyMap<string | symbol, readonly Function[]>;

export function listenersOf(emitter: EventEmitter): Listeners {
  return new Map(emitter.eventNames().map((name) => [name, emitter.rawListeners(name)]));
}

/** Removes every listener of an application's events that came since; those that Node put there itself stay. */
export function withoutListenersSince(emitter: EventEmitter, before: Listeners): void {
  for (const event of ["connect", "data", "drain", "error", "close"]) {
    for (const listener of emitter.rawListeners(event)) {
      if (before.get(event)?.includes(listener) !== true)
        emitter.removeListener(event, listener as (...values: unknown[]) => void);
    }
  }
}
