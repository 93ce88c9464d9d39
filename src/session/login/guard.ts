import type { Identity } from "../../identity/identity.ts";
import type { Metrics } from "../../metrics.ts";
import type { FailedLogins, Guesser } from "./failed-logins.ts";
import type { Inbox } from "./inbox.ts";
import { LoginRefused, NoGuess } from "./login-refused.ts";

/**
 * Keeps a login from being one guess of many: makes it wait, or refuses it before anything is looked at. What the exchange
 * comes to is told only if the name and the network are not locked by then, right or wrong: guesses on many connections at
 * one time are worth no more than one behind the other.
 * @param prove runs the exchange, and calls its parameter before the client can tell whether the secret was right
 * @throws LoginRefused too_many_failures; what the exchange throws
 */
export async function guarded(
  inbox: Inbox,
  guesser: Guesser,
  { failedLogins, metrics }: { readonly failedLogins: FailedLogins; readonly metrics: Metrics },
  prove: (admit: () => Promise<void>) => Promise<Identity>,
): Promise<Identity> {
  const admit = async (): Promise<void> => {
    const standing = await failedLogins.standing(guesser);
    if (standing.kind !== "locked") return;
    metrics.loginGuard.locked++;
    throw locked(standing);
  };
  await admit();
  const standing = await failedLogins.standing(guesser);
  if (standing.kind === "slow") {
    metrics.loginGuard.slowed++;
    await inbox.wait(standing.delay);
  }
  try {
    const identity = await prove(admit);
    await admit();
    await failedLogins.succeeded(guesser);
    return identity;
  } catch (error) {
    if (!isGuess(error)) throw error;
    await admit();
    await failedLogins.failed(guesser);
    throw error;
  }
}

function isGuess(error: unknown): boolean {
  if (!(error instanceof LoginRefused) || error instanceof NoGuess) return false;
  const { code } = error.problem;
  return code === "authentication_failed" || code === "token_refused";
}

/** Says the same for a name that does not exist. */
function locked({ reason, left }: { readonly reason: string; readonly left: number }): LoginRefused {
  const seconds = Math.max(1, Math.ceil(left / 1000));
  const when = seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
  return new LoginRefused(
    "too_many_failures",
    "too many failed logins from this network",
    `locked: ${reason}`,
    `Try again in ${when}.`,
  );
}
