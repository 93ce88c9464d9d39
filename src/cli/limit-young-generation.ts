import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/** How large the space for new objects may become; V8 would go up to 128 MB and never give it back. */
const enough = 8 * 1024 * 1024;

const interval = 1_000; // ms

/**
 * Keeps what logins leave behind from becoming memory that idle sessions seem to cost: once V8's space for new objects
 * is large enough for the steady state, it grows no further. --max-semi-space-size would do it from the start, but a
 * program cannot give it to itself; --semi-space-growth-factor holds from when it is set.
 */
export function limitYoungGeneration(): void {
  const timer = setInterval(() => {
    const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
    if (space === undefined || space.space_size < enough) return;
    setFlagsFromString("--semi-space-growth-factor=1");
    clearInterval(timer);
  }, interval);
  timer.unref();
}
