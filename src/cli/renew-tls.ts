import type { ListenTlsConfig } from "../config/config.ts";
import { loadListen } from "../config/load.ts";
import { formatProblem } from "../document/problem.ts";
import type { Logger } from "../log.ts";
import type { Proxy } from "../proxy.ts";

/** How often the certificate's files are looked at: what renews them has no way to tell. */
const interval = 60_000; // ms

/**
 * Shows clients a renewed certificate without a restart: when its files have changed, and at once on SIGHUP. What cannot
 * be used is said in the log, and the certificate stays what it was.
 * @returns ends it
 */
export function renewTls(
  proxy: Proxy,
  file: string,
  { env, log, tls: first }: { env: NodeJS.ProcessEnv; log: Logger; tls: ListenTlsConfig | undefined },
): () => void {
  let shown = first;
  const look = (): void => {
    if (shown === undefined) return;
    const loaded = loadListen(file, env);
    if (loaded.kind === "refused")
      return log.error(
        { problems: loaded.problems.map(formatProblem) },
        "listen cannot be read; TLS stays as it is",
      );
    const { tls } = loaded.listen;
    if (tls === undefined) return log.error("listen.tls is gone; TLS stays as it is until a restart");
    if (sameFiles(tls, shown)) return undefined;
    try {
      proxy.renewTls(tls);
      shown = tls;
      return log.info("the TLS certificates were renewed");
    } catch (error) {
      return log.error({ err: error }, "the renewed TLS certificate cannot be used; TLS stays as it is");
    }
  };
  const timer = setInterval(look, interval).unref();
  process.on("SIGHUP", look);
  return () => {
    clearInterval(timer);
    process.off("SIGHUP", look);
  };
}

function sameFiles(one: ListenTlsConfig, other: ListenTlsConfig): boolean {
  return (
    one.certificate === other.certificate &&
    one.key() === other.key() &&
    one.clientCa === other.clientCa &&
    one.clientCrl === other.clientCrl
  );
}
