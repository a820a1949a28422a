/** Where one of Microsoft's clouds takes mail and gives tokens. */
export type Cloud = {
  /** SMTP client submission, always port 587 with STARTTLS. */
  readonly host: string;
  /** Login service (Entra ID), without a path. */
  readonly authority: string;
  /** What the token is asked for; client credentials need `/.default`. */
  readonly scope: string;
  /** Microsoft Graph, without a path; its tokens are for `/.default` of it. */
  readonly graphUrl: string;
  /** Where these names come from, and how sure they are. */
  readonly source: string;
};

/** Graph's addresses: Microsoft Learn, "Microsoft Graph national cloud deployments" (read 2026-11-24). */
export const CLOUDS = {
  /** Also GCC, which uses the worldwide names. */
  worldwide: {
    host: "smtp.office365.com",
    authority: "https://login.microsoftonline.com",
    scope: "https://outlook.office365.com/.default",
    graphUrl: "https://graph.microsoft.com",
    source: 'Microsoft Learn, "Authenticate an IMAP, POP or SMTP connection using OAuth"',
  },
  "gcc-high": {
    host: "smtp.office365.us",
    authority: "https://login.microsoftonline.us",
    scope: "https://outlook.office365.us/.default",
    graphUrl: "https://graph.microsoft.us",
    source: "postalsys/emailengine and vendors' pages",
  },
  dod: {
    host: "outlook-dod.office365.us",
    authority: "https://login.microsoftonline.us",
    scope: "https://outlook-dod.office365.us/.default",
    graphUrl: "https://dod-graph.microsoft.us",
    source: "postalsys/emailengine only; Microsoft's page was not seen",
  },
  china: {
    host: "smtp.partner.outlook.cn",
    authority: "https://login.partner.microsoftonline.cn",
    scope: "https://partner.outlook.cn/.default",
    graphUrl: "https://microsoftgraph.chinacloudapi.cn",
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

/** Where Microsoft Graph is and what its token is asked for, each replaced by the setting where it is given. */
export function graphEndpointsOf(settings: {
  readonly cloud: CloudName;
  readonly graph: { readonly url?: string | undefined; readonly scope?: string | undefined };
}): { readonly url: string; readonly scope: string } {
  const { graphUrl } = CLOUDS[settings.cloud];
  return { url: settings.graph.url ?? graphUrl, scope: settings.graph.scope ?? `${graphUrl}/.default` };
}
