/**
 * How long each message may be: the one place where sizes on the wire stand, each with its origin.
 * Lengths here count the whole message as it travels: type byte (1), length word (4) and body.
 */

/** MAX_STARTUP_PACKET_LENGTH of PostgreSQL's libpq/pqcomm.h; counts the length word itself. */
export const maxStartupPacket = 10_000;

/** Length word and request code: a startup packet cannot be shorter. */
export const minStartupPacket = 8;

/** PQ_LARGE_MESSAGE_LIMIT of libpq/libpq.h, MaxAllocSize - 1: a body that the server could not hold either. */
const large = 0x3fffffff - 1;

/** PQ_SMALL_MESSAGE_LIMIT of libpq/libpq.h: messages whose body is a name or two. */
const small = 10_000;

/** The type byte in front of what the length word counts. */
const typeByte = 1;

/** What a client may send once it is logged in (postgres.c, SocketBackend). */
export const frontendLimits = {
  Q: large + typeByte, // Query
  P: large + typeByte, // Parse
  B: large + typeByte, // Bind
  F: large + typeByte, // FunctionCall
  d: large + typeByte, // CopyData
  D: small + typeByte, // Describe
  E: small + typeByte, // Execute
  C: small + typeByte, // Close
  H: small + typeByte, // Flush
  S: small + typeByte, // Sync
  c: small + typeByte, // CopyDone
  f: small + typeByte, // CopyFail
  X: small + typeByte, // Terminate
} as const;

/** `p` while a cleartext password is awaited: PG_MAX_AUTH_TOKEN_LENGTH of libpq/auth.h; a token travels here too. */
export const passwordLimits = { p: 65_535 + 4 + typeByte } as const;

/** `p` during SASL: PG_MAX_SASL_MESSAGE_LENGTH of libpq/sasl.h; no SCRAM message of an honest client comes near. */
export const saslLimits = { p: 1024 + 4 + typeByte } as const;

/** `p` of OAUTHBEARER alone: the server gives it PG_MAX_AUTH_TOKEN_LENGTH too (auth-oauth.c), for tokens are long. */
export const oauthLimits = { p: 65_535 + 4 + typeByte } as const;

/**
 * What a server may send. A server's own messages are bounded by MaxAllocSize (1 GB); those whose body has a fixed
 * or naturally small form are held to it, so that a lying server cannot make us wait for a gigabyte of tag.
 */
export const backendLimits = {
  R: 65_535, // Authentication*
  S: 65_535, // ParameterStatus: a setting's value, search_path the longest of them
  K: 4 + 4 + 256 + typeByte, // BackendKeyData: a key has at most 256 bytes (protocol 3.2)
  Z: 6, // ReadyForQuery
  T: large + typeByte, // RowDescription
  D: large + typeByte, // DataRow
  C: 1024, // CommandComplete: COMPLETION_TAG_BUFSIZE is 64
  E: large + typeByte, // ErrorResponse
  N: large + typeByte, // NoticeResponse
  A: 65_535, // NotificationResponse: channel (63) and payload (7,999)
  G: 65_535, // CopyInResponse: at most 1,600 columns of two bytes
  H: 65_535, // CopyOutResponse
  W: 65_535, // CopyBothResponse
  I: 5, // EmptyQueryResponse
  "1": 5, // ParseComplete
  "2": 5, // BindComplete
  "3": 5, // CloseComplete
  s: 5, // PortalSuspended
  n: 5, // NoData
  t: 7 + 4 * 65_535, // ParameterDescription
  V: large + typeByte, // FunctionCallResponse
  v: 65_535, // NegotiateProtocolVersion
  d: large + typeByte, // CopyData
  c: 5, // CopyDone
} as const;

/** How much of an ErrorResponse or NoticeResponse is gathered for filtering its fields. */
export const maxErrorMessage = 1024 * 1024;

/** NAMEDATALEN - 1 of pg_config_manual.h. The server cuts longer statement and portal names, so that two become one. */
export const maxNameBytes = 63;
