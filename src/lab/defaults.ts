/** The resources that the lab's tenant has, as tokens name them. */
export const SMTP_RESOURCE = "https://outlook.office365.com";
export const GRAPH_RESOURCE = "https://graph.microsoft.com";

/** The one tenant, app and account that the stand-ins know unless told otherwise. Nothing of it exists outside. */
export const LAB_ACCOUNT = {
  tenantId: "11111111-1111-4111-8111-111111111111",
  tenantDomain: "contoso.com",
  clientId: "22222222-2222-4222-8222-222222222222",
  clientSecret: "lab-client-secret",
  mailbox: "noreply@contoso.com",
  scope: `${SMTP_RESOURCE}/.default`,
  graphScope: `${GRAPH_RESOURCE}/.default`,
  sendGridKey: "SG.lab.key",
} as const;
