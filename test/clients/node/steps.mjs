// What every Node program here shares: how it connects, and its steps, each printed as a line of JSON.
import { readFileSync } from "node:fs";

const { PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD, PGSSLROOTCERT, TOKEN_USER, TOKEN } = process.env;

/** As alice, with a password and without TLS; as node-postgres takes it. */
export const plain = {
  host: PGHOST,
  port: Number(PGPORT),
  database: PGDATABASE,
  user: PGUSER,
  password: PGPASSWORD,
};
const ssl = { ca: readFileSync(PGSSLROOTCERT, "utf8"), servername: "localhost" };
/** The same over TLS, with the server's certificate verified; and with a token in the password's place. */
export const secured = { ...plain, host: "localhost", ssl };
export const withToken = { ...secured, user: TOKEN_USER, password: TOKEN };

/** The drivers read these by themselves, and the tests want to say how to connect. */
for (const name of Object.keys(process.env)) if (name.startsWith("PG")) delete process.env[name];

/** In tenant 1 and in tenant 2. */
export const ownOrder = 2;
export const othersOrder = 1;

export const customerIds = Array.from({ length: 40 }, (_, n) => n + 1);
export const batchRows = Array.from({ length: 50 }, (_, n) => n);

/** Takes the steps in order; one that fails is printed too, and the next is taken. */
export async function take(steps) {
  for (const [step, work] of Object.entries(steps)) {
    try {
      console.log(JSON.stringify({ step, saw: await work() }));
    } catch (error) {
      console.log(JSON.stringify({ step, failed: String(error) }));
      console.error(error);
    }
  }
}

/** The SQLSTATE with which `work` fails. `find` takes the database's own error out of a library's. */
export async function codeOf(work, find = (error) => error) {
  try {
    await (typeof work === "function" ? work() : work);
  } catch (error) {
    return find(error).code;
  }
  return undefined;
}

/** SQLSTATE, DETAIL and HINT with which `work` fails. */
export async function refusalOf(work, find = (error) => error) {
  try {
    await work();
  } catch (error) {
    const { code, detail, hint } = find(error);
    return { code, detail, hint };
  }
  return undefined;
}

/** Thrown to have a transaction rolled back. */
export class Undo extends Error {}

export async function undone(transaction) {
  try {
    await transaction;
  } catch (error) {
    if (!(error instanceof Undo)) throw error;
  }
}

export function assert(condition, told = "not as expected") {
  if (!condition) throw new Error(typeof told === "string" ? told : JSON.stringify(told));
}
