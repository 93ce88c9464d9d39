/** Who speaks in a message of the server's, by its context: the innermost place comes first. */
export type Origin =
  /** The server, about the statement itself. */
  | { readonly kind: "statement" }
  /** The server, about what the client sent: a parameter, a line of COPY. `value`: it was reading that value. */
  | { readonly kind: "input"; readonly value: boolean }
  /** RAISE in a function of PL/pgSQL; the name as the context gives it, unquoted. */
  | { readonly kind: "raise"; readonly schema: string | undefined; readonly name: string }
  /** The server, about what a function does inside. */
  | { readonly kind: "function" }
  /** Anything else: another language's function, a foreign server, a translated text. */
  | { readonly kind: "unknown" };

// The texts are those of PostgreSQL 15 to 18 in English. What a translated server says is not known and so does not
// pass. A value that is quoted further back can hold line breaks and look like anything: where it matters, the whole
// context has to be one line.

/** CopyFromErrorCallback, commands/copyfrom.c. */
const copyLine = /^COPY [^\n]+?, line \d+(?:, column [^\n]+|: "[^\n]*)?$/;
const copyValue = /^COPY [^\n]+?, line \d+, column [^\n]+?: (?:"|null input$)/;

/** bind_param_error_callback and ParamsErrorCallback, tcop/postgres.c and nodes/params.c. */
const parameter =
  /^(?:unnamed portal|portal "[^\n]*"|extended query)(?: parameter \$\d+(?: = [^\n]*)?| with parameters: [^\n]*)$/;

/** report_json_context, utils/adt/jsonfuncs.c; XactLockTableWait's callback, storage/lmgr/lmgr.c. */
const about = /^(?:JSON data, line \d+: [^\n]*|while [a-z ]+ \(\d+,\d+\) in relation "[^\n]*")$/;

/** plpgsql_exec_error_callback, pl/plpgsql/src/pl_exec.c, around a name as format_procedure writes it. */
const word = String.raw`(?:"(?:[^"\n]|"")+"|[^"\s().]+)`;
const raise = new RegExp(
  String.raw`^PL/pgSQL function (?:(${word})\.)?(${word})\([^\n]*\) line \d+ at RAISE(?:\n|$)`,
);

/** The same callback, _SPI_error_callback of executor/spi.c and sql_exec_error_callback of executor/functions.c. */
const inside = /^(?:PL\/pgSQL (?:function|assignment|expression) |SQL (?:statement|expression|function) ")/;

/** Reads the context (field `W`) of an ErrorResponse or NoticeResponse. */
export function originOf(whole: string): Origin {
  // What a parallel worker says is told by the session's own backend, which adds a line at the end.
  const context = whole.replace(/(?:^|\n)parallel worker$/, "");
  if (context === "" || about.test(context)) return { kind: "statement" };
  if (copyLine.test(context)) return { kind: "input", value: copyValue.test(context) };
  if (parameter.test(context)) return { kind: "input", value: context.includes(" parameter $") };
  const [, schema, name] = raise.exec(context) ?? [];
  if (name !== undefined)
    return { kind: "raise", schema: schema === undefined ? undefined : bare(schema), name: bare(name) };
  return { kind: inside.test(context) ? "function" : "unknown" };
}

function bare(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}
