import { parseDuration, type Ask } from "../../access/ask.ts";
import { refuse } from "../../errors.ts";
import { readTokens, type Token } from "./tokens.ts";

/** What rolegate's own database can be told. */
export type Command =
  | { readonly kind: "ask"; readonly ask: Ask }
  | { readonly kind: "approve" | "deny" | "withdraw"; readonly request: number; readonly comment: string }
  | { readonly kind: "show requests" | "show identity" };

/** By their first word. */
const forms = {
  REQUEST: "REQUEST ROLE name ON database FOR '30min' REASON 'why'",
  BREAK: "BREAK GLASS ROLE name ON database FOR '15min' REASON 'why'",
  APPROVE: "APPROVE number [COMMENT 'text']",
  DENY: "DENY number REASON 'why'",
  WITHDRAW: "WITHDRAW number",
  SHOW: "SHOW REQUESTS, or SHOW IDENTITY",
} as const;

/**
 * Reads one command. Words are told apart as in SQL: they fold to lower case unless they are quoted.
 * @returns undefined for a text without any
 * @throws RolegateError statement_unparsable, with the form that was expected
 */
export function parseCommand(text: string): Command | undefined {
  const tokens = new Reading(text, readTokens(text));
  if (tokens.atEnd) return undefined;
  const first = tokens.word();
  switch (first) {
    case "request":
      tokens.expects(forms.REQUEST);
      return { kind: "ask", ask: readAsk(tokens, "approval") };
    case "break":
      tokens.expects(forms.BREAK);
      tokens.keyword("glass");
      return { kind: "ask", ask: readAsk(tokens, "break-glass") };
    case "approve": {
      tokens.expects(forms.APPROVE);
      const request = tokens.number();
      const comment = tokens.atEnd ? "" : tokens.keyword("comment").literal();
      return tokens.end({ kind: "approve", request, comment });
    }
    case "deny": {
      tokens.expects(forms.DENY);
      const request = tokens.number();
      return tokens.end({ kind: "deny", request, comment: tokens.keyword("reason").literal() });
    }
    case "withdraw":
      tokens.expects(forms.WITHDRAW);
      return tokens.end({ kind: "withdraw", request: tokens.number(), comment: "" });
    case "show": {
      tokens.expects(forms.SHOW);
      const what = tokens.word();
      if (what !== "requests" && what !== "identity") return tokens.failBefore();
      return tokens.end({ kind: `show ${what}` });
    }
  }
  return tokens.failBefore();
}

function readAsk(tokens: Reading, kind: Ask["kind"]): Ask {
  const role = tokens.keyword("role").name();
  const database = tokens.keyword("on").name();
  const duration = parseDuration(tokens.keyword("for").literal());
  if (duration === undefined)
    refuse("request_invalid", "the time is not usable", { hint: "As in '90s', '30min' or '1h'." });
  const reason = tokens.keyword("reason").literal();
  return tokens.end({ kind, role, database, duration, reason });
}

/** The tokens of one command, from left to right. Every method throws where the next one is not what it asks for. */
class Reading {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  #form: string = Object.values(forms).join("; ");

  constructor(text: string, tokens: readonly Token[]) {
    this.#text = text;
    this.#tokens = tokens;
  }

  get atEnd(): boolean {
    return this.#at === this.#tokens.length;
  }

  /** What a refusal says from here on. */
  expects(form: string): void {
    this.#form = form;
  }

  /** A bare word, in lower case. */
  word(): string {
    const token = this.#tokens[this.#at];
    if (token?.kind !== "word") return this.fail();
    this.#at++;
    return token.value;
  }

  keyword(keyword: string): this {
    if (this.#tokens[this.#at]?.value !== keyword || this.word() !== keyword) this.fail();
    return this;
  }

  name(): string {
    const token = this.#tokens[this.#at];
    if (token?.kind !== "word" && token?.kind !== "quoted") return this.fail();
    this.#at++;
    return token.value;
  }

  literal(): string {
    const token = this.#tokens[this.#at];
    if (token?.kind !== "literal") return this.fail();
    this.#at++;
    return token.value;
  }

  number(): number {
    const token = this.#tokens[this.#at];
    if (token?.kind !== "number") return this.fail();
    this.#at++;
    return Number(token.value);
  }

  /** Nothing may follow. */
  end<Result>(result: Result): Result {
    return this.atEnd ? result : this.fail();
  }

  /** The word that was read last is none that was expected. */
  failBefore(): never {
    this.#at--;
    return this.fail();
  }

  fail(): never {
    const token = this.#tokens[this.#at];
    const message =
      token === undefined
        ? "syntax error at end of input"
        : `syntax error at or near "${this.#text.slice(token.start, token.end).slice(0, 64)}"`;
    const at = token?.start ?? this.#text.length;
    refuse("statement_unparsable", message, {
      detail: "This is rolegate's own database: it knows a few commands, and no SQL.",
      hint: this.#form,
      position: Array.from(this.#text.slice(0, at)).length + 1,
    });
  }
}
