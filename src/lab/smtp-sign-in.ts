import type { SmtpPolicy, SmtpState } from "./smtp-policy.ts";
import { decodeSasl, readCredentials, SASL_MECHANISMS } from "./smtp-sasl.ts";
import type { Challenge } from "./smtp-sasl.ts";

/** The reply to AUTH, and who is signed in by it. */
export type SignIn = { readonly reply: string; readonly user: string | null };

/** What Google sends before it refuses an XOAUTH2 (its page "OAuth 2.0 Mechanism"). */
const XOAUTH2_REFUSAL = JSON.stringify({ status: "401", schemes: "bearer", scope: "https://mail.lab.test/" });

/** Answers AUTH (RFC 4954): talks the mechanism through and asks the policy. */
export async function signIn(
  argument: string,
  state: SmtpState,
  policy: SmtpPolicy,
  challenge: Challenge,
): Promise<SignIn> {
  const refuse = (reply: string): SignIn => ({ reply, user: null });
  if (state.hello === null) return refuse("503 5.5.1 Send EHLO first");
  if (state.user !== null) return { reply: "503 5.5.1 Already authenticated", user: state.user };
  const [name = "", initial] = argument.trim().split(/\s+/);
  const offered = policy.mechanisms(state);
  const mechanism = SASL_MECHANISMS.find((known) => known === name.toUpperCase() && offered.includes(known));
  if (mechanism === undefined) return refuse(policy.unknownMechanism());
  const credentials = await readCredentials(mechanism, initial === undefined ? null : decodeSasl(initial), challenge);
  if (credentials === null) return refuse("501 5.5.2 Authentication cancelled or malformed");
  const verdict = policy.authenticate(credentials, state);
  if ("user" in verdict) return { reply: policy.signedIn, user: verdict.user };
  if (mechanism === "XOAUTH2" && policy.xoauth2Challenge) await challenge(XOAUTH2_REFUSAL);
  return refuse(verdict.refusal);
}
