import { Messages } from "../operations/messages.ts";
import { operator, tell, withMessages } from "./messages.ts";

/** `mailover cancel`: ends a message that waits. Exit code 1 where it is under way or over. */
export async function cancel(name: string, { reason }: { readonly reason: string }): Promise<void> {
  await withMessages(async (parts) => tell(await new Messages(parts).cancel(name, { by: operator(), reason })));
}
