import type { AttributeValue } from "../identity/identity.ts";

/** What a condition may look at. */
export type ConditionScope = {
  readonly identity: {
    readonly name: string;
    readonly method: string;
    readonly attributes: Readonly<Record<string, AttributeValue>>;
  };
  readonly connection: AccessConnection;
  /** Milliseconds since the epoch. */
  readonly now: number;
};

/** The connection as conditions see it. */
export type AccessConnection = {
  /** The client's IP address, without port. */
  readonly address: string;
  readonly tls: boolean;
  /** The database as rolegate.yaml names it. */
  readonly database: string;
  readonly applicationName: string;
};

export type Outcome =
  | { readonly kind: "fits" }
  | { readonly kind: "does not fit" }
  /** The condition threw or gave something else than true or false: it does not fit, and the operator should hear of it. */
  | { readonly kind: "failed"; readonly reason: string };

/** A compiled CEL condition. */
export type Condition = {
  readonly text: string;
  readonly evaluate: (scope: ConditionScope) => Outcome;
};
