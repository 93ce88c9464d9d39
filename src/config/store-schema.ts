import * as z from "zod";
import { duration } from "../document/duration.ts";
import { mapping, text } from "../document/mapping.ts";
import { upstreamUrl } from "./database-schema.ts";
import { secret, sourced } from "./sourced.ts";
import type { Sources } from "./sources.ts";

/** Where the embedded store lives unless `store.directory` says otherwise; relative to the configuration file. */
export const defaultStoreDirectory = "var/store";

/** `store`: which of `url` and `directory` goes with what is checked in read-store.ts. */
export function storeSchema(sources: Sources | undefined) {
  const down = "refuse or continue";
  return mapping({
    url: upstreamUrl(sources)
      .optional()
      .describe(
        "rolegate's own database, in the form of a database's upstream. Left out: a PostgreSQL that `serve` brings along.",
      ),
    login: mapping({
      user: sourced(text("a login that owns the schema rolegate"), sources).describe(
        "Needs no right but to connect, and on the schema rolegate, which it owns.",
      ),
      password: secret(sources).describe("Its password."),
    })
      .optional()
      .describe("How rolegate logs in there; goes with `url`."),
    directory: sourced(text("a directory"), sources)
      .optional()
      .describe(
        `Where the embedded PostgreSQL keeps its data, relative to this file; \`${defaultStoreDirectory}\` where there is no \`url\` either.`,
      ),
    whenDown: sourced(z.enum(["refuse", "continue"], { error: down }), sources)
      .prefault("refuse")
      .describe(
        "What happens while the store cannot be reached. refuse: no login and no SET ROLE, and sessions end after `grace`. continue: everybody goes on by what was known last.",
      ),
    grace: sourced(duration, sources)
      .prefault("30s")
      .describe("With refuse: how long sessions go on without the store."),
  })
    .optional()
    .describe(
      "What all instances share: revocations, requests for roles and the sessions that are open. Left out: nothing can be asked for, and nothing taken away but by the configuration.",
    );
}
