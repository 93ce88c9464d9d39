import { promises as files } from "node:fs";
import path from "node:path";
import type { IssueSink } from "../document/mapping.ts";
import { runCommandAgain } from "./run-command.ts";
import type { Reference } from "./reference.ts";
import { type Sources, withoutLineEnd } from "./sources.ts";

/** How old what a command printed may become, in milliseconds; cloud databases' tokens live for a quarter of an hour. */
const commandMaxAge = 5 * 60_000;

/** However often a secret turns out to be wrong, the command does not run more often. */
const commandMinAge = 1_000;

/** A secret. `renew`: what was given last is known to be wrong, so that nothing that is kept will do. */
export type Secret = (request?: { readonly renew: boolean }) => Promise<string>;

/** That of a role; undefined, with an issue, if it cannot be had. */
export type RoleSecret = (role: string, sink: IssueSink) => Secret | undefined;

/**
 * A secret that is asked for each time it is needed, so that a rotated one is seen: a file is read again, a command
 * run again once what it printed is five minutes old, or is no longer right. A variable never changes.
 * @param first what the reference stood for at the start; undefined: a command that has not run yet.
 * @returns rejects, naming file or program but nothing that was read, when the secret can no longer be had.
 */
export function keepSecret(reference: Reference, sources: Sources, first: string | undefined): Secret {
  if (reference.kind === "env") return () => Promise.resolve(first ?? "");
  if (reference.kind === "file") return () => readSecret(path.resolve(sources.directory, reference.path));
  let current = Promise.resolve(first ?? "");
  let since = first === undefined ? Number.NEGATIVE_INFINITY : performance.now();
  return ({ renew } = { renew: false }) => {
    const age = performance.now() - since;
    if (age > (renew ? commandMinAge : commandMaxAge)) {
      since = performance.now();
      current = runCommandAgain(reference.words, sources).then((secret) =>
        present(secret, reference.words[0] ?? ""),
      );
      // Whoever asked hears of it; the next one runs the command anew.
      current.catch(() => (since = Number.NEGATIVE_INFINITY));
    }
    return current;
  };
}

async function readSecret(file: string): Promise<string> {
  return present(withoutLineEnd(await files.readFile(file, "utf8")), file);
}

function present(secret: string, source: string): string {
  if (secret === "" || secret.includes("\0")) throw new Error(`${source} no longer holds a usable secret`);
  return secret;
}
