import { startRelay } from "../../src/lab/index.ts";
import { serve } from "./child.ts";

/** A relay that takes everything, in a process of its own. */
const relay = await startRelay();
const accepted: { subject: string; at: number }[] = [];
relay.onAccepted(({ content, acceptedAt }) => {
  const subject = /^Subject: (.*)$/m.exec(content.toString("latin1", 0, 2_000))?.[1]?.trim() ?? "";
  accepted.push({ subject, at: acceptedAt });
  // What it keeps by itself is of no use here.
  if (accepted.length % 1_000 === 0) relay.clear();
});
serve<"relay">(
  { port: relay.port },
  {
    count: () => accepted.length,
    accepted: () => accepted,
    forget: () => {
      accepted.length = 0;
      return null;
    },
  },
  () => relay.close(),
);
