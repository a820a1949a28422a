import { generate } from "selfsigned";

/** A key and its certificate, PEM. */
export type KeyPair = { readonly key: string; readonly cert: string };

/** A certificate authority of the lab's own, made anew at each start. */
export type CertificateAuthority = {
  /** Its certificate, PEM: what clients must trust. */
  readonly ca: string;
  /** A certificate for `localhost` and 127.0.0.1, signed by the authority. */
  readonly server: KeyPair;
};

const EC = { keyType: "ec", curve: "P-256", algorithm: "sha256" } as const;

/** What is to be wrong with the server's certificate, for tests of clients that must notice. */
export type CertificateOptions = {
  /** The host it is for, in place of `localhost` and 127.0.0.1. */
  readonly serverName?: string;
  readonly validUntil?: Date;
};

const DAY_MS = 86_400_000;

export async function createAuthority(options: CertificateOptions = {}): Promise<CertificateAuthority> {
  const authority = await generate([{ name: "commonName", value: "Mailover lab CA" }], {
    ...EC,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const { serverName, validUntil } = options;
  const server = await generate([{ name: "commonName", value: serverName ?? "localhost" }], {
    ...EC,
    ...(validUntil === undefined
      ? {}
      : { notBeforeDate: new Date(validUntil.getTime() - DAY_MS), notAfterDate: validUntil }),
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: "basicConstraints", cA: false },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames:
          serverName === undefined
            ? [
                { type: 2, value: "localhost" },
                { type: 7, ip: "127.0.0.1" },
              ]
            : [{ type: 2, value: serverName }],
      },
    ],
  });
  return { ca: authority.cert, server: { key: server.private, cert: server.cert } };
}
