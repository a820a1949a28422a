import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

export const SASL_MECHANISMS = ["PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2"] as const;
export type SaslMechanism = (typeof SASL_MECHANISMS)[number];

/** What a client presented to sign in. */
export type Credentials =
  | { readonly mechanism: "PLAIN" | "LOGIN"; readonly user: string; readonly password: string }
  | { readonly mechanism: "CRAM-MD5"; readonly user: string; readonly challenge: string; readonly digest: string }
  | { readonly mechanism: "XOAUTH2"; readonly user: string; readonly token: string };

/** Sends a challenge and reads the client's response, both decoded. Null: the client cancelled or is gone. */
export type Challenge = (text: string) => Promise<string | null>;

/** Talks a mechanism through to its credentials. Null: cancelled or malformed. */
export async function readCredentials(
  mechanism: SaslMechanism,
  initial: string | null,
  challenge: Challenge,
): Promise<Credentials | null> {
  switch (mechanism) {
    case "PLAIN": {
      const response = initial ?? (await challenge(""));
      const [, user, password] = response?.split("\0") ?? [];
      return user === undefined || password === undefined ? null : { mechanism, user, password };
    }
    case "LOGIN": {
      const user = initial ?? (await challenge("Username:"));
      if (user === null) return null;
      const password = await challenge("Password:");
      return password === null ? null : { mechanism, user, password };
    }
    case "CRAM-MD5": {
      const text = `<${randomBytes(8).toString("hex")}@lab.test>`;
      const match = /^(.*) ([0-9a-f]{32})$/.exec((await challenge(text)) ?? "");
      const [, user, digest] = match ?? [];
      return user === undefined || digest === undefined ? null : { mechanism, user, challenge: text, digest };
    }
    case "XOAUTH2": {
      const response = initial ?? (await challenge(""));
      const [userPart, authPart, ...rest] = response?.split("\u0001") ?? [];
      if (rest.join("") !== "") return null;
      const user = /^user=(.*)$/.exec(userPart ?? "")?.[1];
      const token = /^auth=Bearer (.*)$/.exec(authPart ?? "")?.[1];
      return user === undefined || token === undefined ? null : { mechanism, user, token };
    }
  }
}

/** Whether the digest is the one of this password (RFC 2195). */
export function cramMd5Matches(challenge: string, digest: string, password: string): boolean {
  const wanted = createHmac("md5", password).update(challenge).digest("hex");
  return wanted.length === digest.length && timingSafeEqual(Buffer.from(wanted), Buffer.from(digest));
}

/** A response as text; "=" is the empty one (RFC 4954 4). */
export function decodeSasl(base64: string): string {
  return base64 === "=" ? "" : Buffer.from(base64, "base64").toString("utf8");
}
