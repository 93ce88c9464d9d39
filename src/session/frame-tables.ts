import { frameTable } from "../wire/frame-table.ts";
import { bindHead, functionCallHead } from "../wire/frontend.ts";
import { backendLimits, frontendLimits, maxErrorMessage } from "../wire/limits.ts";

/** A Query or Parse is gathered up to here to be judged; a longer one is refused. Its text is on record up to 1 MB. */
export const longestStatement = 64 * 1024 * 1024;

/** What a client may send in a session, and how much of it is looked at. */
export const clientTable = frameTable(frontendLimits, {
  Q: { whole: longestStatement },
  P: { whole: longestStatement },
  B: { head: bindHead },
  D: { whole: frontendLimits.D },
  E: { whole: frontendLimits.E },
  C: { whole: frontendLimits.C },
  S: { whole: frontendLimits.S },
  H: { whole: frontendLimits.H },
  F: { head: functionCallHead },
  d: { head: 5 },
  c: { whole: frontendLimits.c },
  f: { whole: frontendLimits.f },
  X: { whole: frontendLimits.X },
});

/** While the server takes COPY data: the data themselves pass. */
export const copyInTable = frameTable(frontendLimits, {
  d: "pass",
  c: { whole: frontendLimits.c },
  f: { whole: frontendLimits.f },
  S: { whole: frontendLimits.S },
  H: { whole: frontendLimits.H },
  X: { whole: frontendLimits.X },
});

const replies = {
  "1": { whole: backendLimits["1"] },
  "2": { whole: backendLimits["2"] },
  "3": { whole: backendLimits["3"] },
  t: { head: 5 },
  T: { head: 5 },
  n: { whole: backendLimits.n },
  D: "pass",
  C: { whole: backendLimits.C },
  I: { whole: backendLimits.I },
  s: { whole: backendLimits.s },
  V: { head: 5 },
  E: { whole: maxErrorMessage },
  N: { whole: maxErrorMessage },
  Z: { whole: backendLimits.Z },
  G: { whole: backendLimits.G },
  H: "pass",
  d: "pass",
  c: "pass",
  S: { whole: backendLimits.S },
  A: "pass",
} as const;

/** What a server may send in a session. */
export const serverTable = frameTable(backendLimits, replies);

/** While its rows are to be hidden. */
export const hidingTable = frameTable(backendLimits, { ...replies, D: { head: 5 } });
