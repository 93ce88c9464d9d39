/** A value that an identity's attribute may have; numbers are finite. */
export type AttributeValue = string | number | boolean | null | readonly (string | number | boolean)[];

/** Who a client proved to be. Immutable for the life of the session. */
export type Identity = {
  /** The name that the record shows: the password user's name, or the token's name claim. */
  readonly name: string;
  /** How it was proved. */
  readonly method: "password" | "jwt";
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** When the proof ends, in milliseconds since the epoch; undefined: with the session. */
  readonly expiresAt: number | undefined;
};
