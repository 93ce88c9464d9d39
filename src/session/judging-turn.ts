/** Milliseconds of judging after which what is not short has to go to another thread until the sockets were looked at. */
const longTurn = 5;

/**
 * How long this thread has been judging since it last looked at its sockets. However many sessions send what nobody has
 * judged yet, the others are served after a few milliseconds.
 */
export class JudgingTurn {
  #spent = 0;
  #ends = false;

  /** True if this turn of the event loop has had its share of judging. */
  get isLong(): boolean {
    return this.#spent > longTurn;
  }

  /** @param millis what judging a text has taken. */
  add(millis: number): void {
    this.#spent += millis;
    if (this.#ends) return;
    this.#ends = true;
    setImmediate(this.#end);
  }

  readonly #end = (): void => {
    this.#spent = 0;
    this.#ends = false;
  };
}
