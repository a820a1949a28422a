import { Messages } from "../operations/messages.ts";
import { operator, tell, withMessages } from "./messages.ts";

/** `mailover held`: messages that may have been accepted, and that nobody sends again by himself. */
export async function showHeld(): Promise<void> {
  await withMessages(async (parts) => {
    let count = 0;
    for await (const held of new Messages(parts).held()) {
      count += 1;
      const { jobId, id, since, provider, recipientCount, reason, until } = held;
      process.stdout.write(
        `job ${jobId}  ${id}  since ${since ?? "?"}, until ${until ?? "?"}  ${provider ?? "a provider"} may have it, ` +
          `${recipientCount} recipient(s): ${reason ?? ""}\n`,
      );
    }
    process.stdout.write(count === 0 ? "nothing is held\n" : `${count} held: release or drop each\n`);
  });
}

/** `mailover release` */
export async function release(name: string): Promise<void> {
  await withMessages(async (parts) => tell(await new Messages(parts).release(name, operator())));
}

/** `mailover drop` */
export async function drop(name: string, { reason }: { readonly reason: string }): Promise<void> {
  await withMessages(async (parts) => tell(await new Messages(parts).drop(name, { by: operator(), reason })));
}
