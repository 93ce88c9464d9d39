import { refuse, RolegateError, type Problem } from "../../errors.ts";
import {
  bindComplete,
  closeComplete,
  commandComplete,
  emptyQueryResponse,
  noData,
  noParameters,
  parseComplete,
  readyForQuery,
  textColumns,
  textRow,
} from "../../wire/backend.ts";
import { errorResponse } from "../../wire/error-fields.ts";
import { frameTable } from "../../wire/frame-table.ts";
import { readParse, readQuery, readTarget } from "../../wire/frontend.ts";
import { frontendLimits } from "../../wire/limits.ts";
import { BodyReader } from "../../wire/reader.ts";
import { decodeBytes } from "../../wire/text.ts";
import { columnsOf, type Answer } from "./answer.ts";
import { parseCommand, type Command } from "./command.ts";

/** In bytes: several times what a command with the longest reason has. */
const longestMessage = 16 * 1024;

const limits = { ...frontendLimits, Q: longestMessage, P: longestMessage, B: longestMessage };

/** What a client may say to rolegate's own database; everything else, and what is longer, ends the session. */
export const ownTable = frameTable(limits, {
  Q: { whole: limits.Q },
  P: { whole: limits.P },
  B: { whole: limits.B },
  D: { whole: limits.D },
  E: { whole: limits.E },
  C: { whole: limits.C },
  S: { whole: limits.S },
  H: { whole: limits.H },
  X: { whole: limits.X },
});

export type Doing = {
  /** Puts a command on record and does it; what it throws ends the session. */
  readonly run: (command: Command, text: string) => Promise<Answer | Problem>;
  /** Puts on record a text that is none. */
  readonly refused: (problem: Problem, text: string) => Promise<void>;
};

/** A text with the command that it holds; undefined: none. */
type Prepared = { readonly text: string; readonly command: Command | undefined };

const nothing = Buffer.alloc(0);

/**
 * Answers messages, as far as drivers need it: the simple protocol, and of the extended one the unnamed statement and the
 * unnamed portal, without parameters. There are no transactions.
 */
export class Conversation {
  readonly #doing: Doing;
  #statement: Prepared | undefined;
  #portal: Prepared | undefined;
  /** Behind an error what comes before the next Sync is ignored. */
  #skipping = false;

  constructor(doing: Doing) {
    this.#doing = doing;
  }

  /** The reply to a message; undefined: the client said goodbye. */
  async take(type: number, message: Buffer): Promise<Buffer | undefined> {
    const kind = String.fromCharCode(type);
    if (kind === "X") return undefined;
    if (kind === "S") {
      this.#skipping = false;
      this.#portal = undefined;
      return readyForQuery("I");
    }
    if (kind === "H" || this.#skipping) return nothing;
    try {
      if (kind === "Q") return Buffer.concat([await this.#query(message), readyForQuery("I")]);
      return await this.#step(kind, message);
    } catch (error) {
      if (!(error instanceof RolegateError) || !recoverable.has(error.problem.code)) throw error;
      const reply = errorResponse(error.problem, "ERROR");
      if (kind === "Q") return Buffer.concat([reply, readyForQuery("I")]);
      this.#skipping = true;
      return reply;
    }
  }

  async #query(message: Buffer): Promise<Buffer> {
    this.#statement = this.#portal = undefined;
    const prepared = await this.#prepare(readQuery(message, 0, message.length));
    if (prepared.command === undefined) return emptyQueryResponse;
    return Buffer.concat([textColumns(columnsOf(prepared.command)), await this.#run(prepared)]);
  }

  async #step(kind: string, message: Buffer): Promise<Buffer> {
    switch (kind) {
      case "P": {
        const { name, sql } = readParse(message, 0, message.length);
        onlyUnnamed(name);
        this.#statement = this.#portal = undefined;
        this.#statement = await this.#prepare(sql);
        return parseComplete;
      }
      case "B":
        readBindWithoutParameters(message);
        this.#portal = there(this.#statement, "prepared statement");
        return bindComplete;
      case "D": {
        const { target, name } = readTarget(message, 0, message.length);
        onlyUnnamed(name);
        const { command } =
          target === "portal" ? there(this.#portal, "portal") : there(this.#statement, "prepared statement");
        const columns = command === undefined ? noData : textColumns(columnsOf(command));
        return target === "portal" ? columns : Buffer.concat([noParameters, columns]);
      }
      case "E": {
        readExecuteWhole(message);
        const prepared = there(this.#portal, "portal");
        this.#portal = undefined;
        return prepared.command === undefined ? emptyQueryResponse : this.#run(prepared);
      }
      default: {
        const { target, name } = readTarget(message, 0, message.length);
        onlyUnnamed(name);
        if (target === "statement") this.#statement = undefined;
        this.#portal = undefined;
        return closeComplete;
      }
    }
  }

  /** @param source in byte form */
  async #prepare(source: string): Promise<Prepared> {
    const text = decodeBytes(source);
    try {
      if (text === undefined) return refuse("encoding_invalid", "the text is not valid UTF-8");
      return { text, command: parseCommand(text) };
    } catch (error) {
      if (error instanceof RolegateError)
        await this.#doing.refused(error.problem, text ?? "(not valid UTF-8)");
      throw error;
    }
  }

  /** DataRows and CommandComplete. @throws RolegateError for what was refused */
  async #run({ command, text }: Prepared): Promise<Buffer> {
    if (command === undefined) return emptyQueryResponse;
    const given = await this.#doing.run(command, text);
    if ("code" in given) throw new RolegateError(given);
    return Buffer.concat([...given.rows.map((row) => textRow(row)), commandComplete(given.tag)]);
  }
}

/** Errors of one command; with any other the session ends. */
const recoverable: ReadonlySet<string> = new Set([
  "statement_unparsable",
  "statement_not_supported",
  "encoding_invalid",
  "request_not_allowed",
  "request_unknown",
  "request_settled",
  "request_invalid",
  "store_unavailable",
]);

function onlyUnnamed(name: string): void {
  if (name !== "")
    refuse("statement_not_supported", "rolegate's own database keeps no named statements and portals");
}

function there(prepared: Prepared | undefined, what: string): Prepared {
  return prepared ?? refuse("statement_not_supported", `there is no unnamed ${what}`);
}

function readBindWithoutParameters(message: Buffer): void {
  const body = new BodyReader(message, 0, message.length);
  onlyUnnamed(body.text().toString("latin1"));
  onlyUnnamed(body.text().toString("latin1"));
  body.bytes(2 * body.uint16());
  if (body.uint16() > 0)
    refuse("statement_not_supported", "rolegate's own database takes no parameters", {
      hint: "Write the values into the command, in single quotes.",
    });
  // All columns are text, which is the same in both formats.
  body.bytes(2 * body.uint16());
  body.done();
}

function readExecuteWhole(message: Buffer): void {
  const body = new BodyReader(message, 0, message.length);
  onlyUnnamed(body.text().toString("latin1"));
  if (body.uint32() !== 0)
    refuse("statement_not_supported", "rolegate's own database gives its rows at once");
  body.done();
}
