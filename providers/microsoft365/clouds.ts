/** Where one of Microsoft's clouds takes mail and gives tokens. */
export type Cloud = {
  /** SMTP client submission, always port 587 with STARTTLS. */
  readonly host: string;
  /** Login service (Entra ID), without a path. */
  readonly authority: string;
  /** What the token is asked for; client credentials need `/.default`. */
  readonly scope: string;
  /** Where these names come from, and how sure they are. */
  readonly source: string;
};

export const CLOUDS = {
  /** Also GCC, which uses the worldwide names. */
  worldwide: {
    host: "smtp.office365.com",
    authority: "https://login.microsoftonline.com",
    scope: "https://outlook.office365.com/.default",
    source: 'Microsoft Learn, "Authenticate an IMAP, POP or SMTP connection using OAuth"',
  },
  "gcc-high": {
    host: "smtp.office365.us",
    authority: "https://login.microsoftonline.us",
    scope: "https://outlook.office365.us/.default",
    source: "postalsys/emailengine and vendors' pages",
  },
  dod: {
    host: "outlook-dod.office365.us",
    authority: "https://login.microsoftonline.us",
    scope: "https://outlook-dod.office365.us/.default",
    source: "postalsys/emailengine only; Microsoft's page was not seen",
  },
  china: {
    host: "smtp.partner.outlook.cn",
    authority: "https://login.partner.microsoftonline.cn",
    scope: "https://partner.outlook.cn/.default",
    source: "host: fluent-plugin-mail#44; scope by analogy, Microsoft's page was not seen",
  },
} as const satisfies Record<string, Cloud>;

export type CloudName = keyof typeof CLOUDS;

/** A cloud's names, each replaced by the setting where it is given. */
export function endpointsOf(settings: {
  readonly cloud: CloudName;
  readonly host?: string | undefined;
  readonly authority?: string | undefined;
  readonly scope?: string | undefined;
}): Pick<Cloud, "host" | "authority" | "scope"> {
  const { host, authority, scope } = CLOUDS[settings.cloud];
  return {
    host: settings.host ?? host,
    authority: settings.authority ?? authority,
    scope: settings.scope ?? scope,
  };
}
