/** Direct is PostgreSQL itself; rolegate-rows is rolegate with a role whose table has a row rule. */
export const targetNames = ["direct", "pipe", "pgbouncer", "rolegate", "rolegate-rows"] as const;
export type TargetName = (typeof targetNames)[number];

/** Something that a client can be pointed at, as its connection string would say. */
export type Target = {
  readonly name: TargetName;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** The process between client and server; undefined where there is none. */
  readonly pid: number | undefined;
};
