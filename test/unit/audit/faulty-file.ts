import { openDayFile, WriteError } from "../../../src/audit/day-file.ts";
import type { OpenFile } from "../../../src/audit/rolling-file.ts";

/** What goes wrong with a write, after how many of its bytes. */
type Fault = { readonly code: string; readonly after: number };

/** Opens real files that fail while the test has set a fault. */
export function faultyFile(): { readonly open: OpenFile; fault?: Fault } {
  const state: ReturnType<typeof faultyFile> = {
    open: (directory, day) => {
      const file = openDayFile(directory, day);
      return {
        write(bytes, length) {
          if (!state.fault) return file.write(bytes, length);
          const { code, after } = state.fault;
          if (after > 0) file.write(bytes, after);
          throw new WriteError(after, Object.assign(new Error(`${code}: as the test says`), { code }));
        },
        stillThere: () => file.stillThere(),
        close: () => file.close(),
      };
    },
  };
  return state;
}
