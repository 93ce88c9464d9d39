import { authenticationSaslContinue } from "../../../wire/authentication.ts";
import type { FrameTable } from "../../../wire/frame-table.ts";
import { readSaslResponse } from "../../../wire/frontend.ts";
import type { Inbox } from "../inbox.ts";

/** A client that sent no initial response is asked for one with an empty challenge (RFC 4422, section 5). */
export async function emptyChallenge(inbox: Inbox, table: FrameTable): Promise<Buffer> {
  inbox.channel.write(authenticationSaslContinue(""));
  const message = await inbox.next(table);
  return readSaslResponse(message, 0, message.length);
}
