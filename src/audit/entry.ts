/** What every line of one session carries. */
export type SessionFacts = {
  /** Unique across restarts and processes. */
  readonly session: string;
  readonly identity: string;
  /** The role that the session begins with; each statement names the role in force. */
  readonly role: string;
  readonly method: string;
  /** What proved it, by the names of its parts; undefined: a password alone. */
  readonly credential?: Readonly<Record<string, string>> | undefined;
  readonly database: string;
  /** Address and port as seen by the listener. */
  readonly client: string;
  readonly applicationName: string;
  readonly tls: boolean;
};

/** A login that did not become a session; everything but `client`, `tls` and `sqlstate` is the client's word. */
export type FailedLogin = {
  readonly client: string;
  readonly user: string;
  readonly database: string;
  readonly applicationName: string;
  readonly tls: boolean;
  readonly sqlstate: string;
  /** For the auditor: the client is told less. */
  readonly reason: string;
};

/** A request for a role, as far as the record tells of it. */
export type RequestFacts = {
  readonly id: number;
  readonly kind: string;
  readonly requester: { readonly name: string };
  readonly role: string;
  readonly database: string;
  /** Milliseconds. */
  readonly duration: number;
  readonly reason: string;
};

/** What happened to a request. */
export type RequestStep = "asked" | "approved" | "denied" | "withdrawn" | "expired" | "lapsed";

/** Who decided, and what they said. */
export type DecisionFacts = { readonly by: { readonly name: string }; readonly comment: string };

/** Something that was taken away, or given back. */
export type RevocationFacts = {
  readonly id: string;
  readonly kind: string;
  readonly value: string;
  readonly issuer: string | undefined;
  readonly database: string | undefined;
  readonly by: string;
  readonly reason: string;
};

/** What the verdict adds to a statement's line; made once per verdict and kept with it. */
export type StatementFacts = {
  readonly role: string;
  readonly sql: string;
  readonly kind: string;
  readonly relations: readonly string[];
  readonly verdict: "run" | "refuse";
  readonly rules: readonly string[];
  /** The SQL that was sent, where it differs. */
  readonly sent: string | undefined;
  /** The SQLSTATE and message of a refusal. */
  readonly refusal: { readonly sqlstate: string; readonly message: string } | undefined;
};

/** How a statement ended. */
export type Completion = {
  /** From the command tag; undefined where the tag has no count. */
  readonly rows: number | undefined;
  /** From just before forwarding to the reply, in microseconds. */
  readonly micros: number;
  /** Undefined: success. */
  readonly sqlstate: string | undefined;
  /** The server never ran it: an earlier error in the pipeline or the multi-statement text skipped it. */
  readonly skipped: boolean;
  /** What the database said of the error. */
  readonly error?: DatabaseMessage | undefined;
  /** The client got less of it than stands here. */
  readonly withheld?: boolean;
  /** Notices and warnings of which the client got less than the database said, or nothing. */
  readonly notices?: readonly DatabaseMessage[] | undefined;
};

/** An error or notice in the database's own words: what it printed of rows and keys included. */
export type DatabaseMessage = {
  readonly [
    Field in
      | "message"
      | "detail"
      | "hint"
      | "context"
      | "query"
      | "schema"
      | "table"
      | "column"
      | "type"
      | "constraint"
  ]?: string;
};
