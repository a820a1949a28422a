import { buffer } from "node:stream/consumers";
import DKIM from "nodemailer/lib/dkim";

export type DkimKey = {
  readonly domainName: string;
  readonly keySelector: string;
  /** RSA, PEM. */
  readonly privateKey: string;
};

/**
 * Puts a DKIM-Signature (RFC 6376: rsa-sha256, relaxed/relaxed) before a MIME message, which stays as it is. The last
 * thing to be done to it.
 */
export function signDkim(mime: Buffer, key: DkimKey): Promise<Buffer> {
  return buffer(new DKIM({ ...key }).sign(mime));
}
