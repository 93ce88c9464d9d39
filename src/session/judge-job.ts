import type { Catalog } from "../catalog/catalog.ts";
import type { Subject } from "../identity/identity.ts";
import type { Role } from "../policy/grants.ts";
import type { JudgeContext } from "../rewrite/judgement.ts";
import type { JudgedParts } from "./judged-parts.ts";

/** What is judged against, without what a thread makes for itself. */
type Premises = Omit<JudgeContext, "grants" | "catalog" | "parser">;

/** What a thread that judges is told. Catalogs and grants are sent once and named by number from then on. */
export type ToThread =
  | {
      readonly kind: "catalog";
      readonly number: number;
      readonly rows: readonly string[];
      readonly version: number;
    }
  | { readonly kind: "grants"; readonly number: number; readonly role: Role; readonly identity: Subject }
  /** The numbers will not be used again. */
  | { readonly kind: "forget"; readonly numbers: readonly number[] }
  | {
      readonly kind: "judge";
      /** In UTF-8, or whatever the client sent. */
      readonly text: Uint8Array;
      readonly catalog: number;
      readonly grants: number;
      readonly major: Catalog["serverMajor"];
      readonly premises: Premises;
    };

/** Its answer to `judge`; `faults`: errors of our own, for the log. */
export type FromThread = { readonly parts: JudgedParts; readonly faults: readonly string[] };
