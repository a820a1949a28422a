import { Agent } from "node:https";
import { createSecureContext, rootCertificates } from "node:tls";
import type { SecureContext } from "node:tls";

/** Contexts by further authority: reading all the root certificates takes a good part of a second. */
const contexts = new Map<string, SecureContext>();

/**
 * Connections to Microsoft's web services, which trust `ca` (PEM) besides the usual authorities. No keep-alive: requests
 * are far apart, and an outage may have moved the address.
 */
export function httpsAgent(ca: string | null): Agent {
  if (ca === null) return new Agent({ keepAlive: false });
  const secureContext = contexts.get(ca) ?? createSecureContext({ ca: [...rootCertificates, ca] });
  contexts.set(ca, secureContext);
  return new Agent({ keepAlive: false, secureContext });
}
