import type { Rule } from "../../../src/core/index.ts";

const codes = "Learn, Microsoft Entra authentication and authorization error codes (read 2026-11-24)";
const oauth = "Learn, Authenticate an IMAP, POP or SMTP connection using OAuth (read 2026-11-24)";
const secretsPage = "Entra admin centre > App registrations > {app} > Certificates & secrets";
const permissionsPage = "Entra admin centre > App registrations > {app} > API permissions";
const enterprisePage = "Entra admin centre > Enterprise applications > {app}";

/** What is wrong with the app, its credential or its tenant, by Entra ID's own numbers. */
export const entraNumberRules: readonly Rule[] = [
  // Secret, certificate, assertion
  {
    id: "entra-secret-invalid",
    when: { aadsts: 7000215 },
    cause: "auth",
    meaning: "the client secret is wrong; often the secret's id was copied instead of its value",
    remedy: `${secretsPage} > Client secrets > New client secret: copy its Value, not its Secret ID, into clientSecret.`,
    source: `${codes}: AADSTS7000215`,
  },
  {
    id: "entra-secret-expired",
    when: { aadsts: 7000222 },
    cause: "auth",
    meaning: "the client secret has expired",
    remedy: `${secretsPage} > Client secrets > New client secret; put its Value into clientSecret. A certificate or federated token spares you the next time.`,
    source: `${codes}: AADSTS7000222`,
  },
  {
    id: "entra-certificate-not-registered",
    when: { aadsts: 700027 },
    cause: "auth",
    meaning:
      "Entra cannot check the certificate's signature: it is not uploaded to the app, or this machine's clock is wrong",
    remedy: `${secretsPage} > Certificates > Upload certificate: its thumbprint must be that of certificate.file; check the clock with timedatectl.`,
    source: `${codes}: AADSTS700027`,
  },
  {
    id: "entra-assertion-out-of-time",
    when: { aadsts: [700024, 50012] },
    cause: "auth",
    meaning:
      "the signed assertion was not valid at this time: this machine's clock is wrong, or the federated token is old",
    remedy: `Check the clock with timedatectl, and that federatedTokenFile is renewed; ${secretsPage} > Federated credentials shows the issuer.`,
    source: `${codes}: AADSTS700024, AADSTS50012; thread Azure/login#372`,
  },
  {
    id: "entra-federation-unknown",
    when: { aadsts: [70021, 700211, 700212, 700213] },
    cause: "auth",
    meaning: "no federated credential of the app fits the token's issuer, subject or audience",
    remedy: `${secretsPage} > Federated credentials > Add credential: issuer, subject and audience must be those inside the token of federatedTokenFile.`,
    source: `${codes}: AADSTS70021, AADSTS700211 to AADSTS700213`,
  },
  {
    id: "entra-credential-missing",
    when: { aadsts: [7000216, 7000218] },
    cause: "auth",
    meaning: "the request held neither secret nor assertion",
    remedy: `Set clientSecret, certificate or federatedTokenFile of this provider to one of ${secretsPage}.`,
    source: `${codes}: AADSTS7000216, AADSTS7000218`,
  },

  // App and tenant
  {
    id: "entra-app-not-found",
    when: { aadsts: 700016 },
    cause: "auth",
    meaning: "the tenant does not know this app: clientId or tenantId is wrong",
    remedy:
      "Entra admin centre > App registrations > {app} > Overview: Application (client) ID is clientId, Directory (tenant) ID is tenantId.",
    source: `${codes}: AADSTS700016`,
  },
  {
    id: "entra-app-disabled",
    when: { aadsts: [7000112, 7000229, 7000235] },
    cause: "auth",
    meaning: "the app is disabled in the tenant, or has no service principal there",
    remedy: `${enterprisePage} > Properties: set Enabled for users to sign-in to Yes; if it is not listed, grant admin consent once: ${permissionsPage}.`,
    source: `${codes}: AADSTS7000112, AADSTS7000229`,
  },
  {
    id: "entra-tenant-not-found",
    when: { aadsts: [90002, 900021, 900023] },
    cause: "auth",
    meaning: "there is no such tenant in this cloud",
    remedy:
      "Entra admin centre > Identity > Overview > Tenant ID: put it into tenantId; set cloud if it is not worldwide.",
    source: `${codes}: AADSTS90002, AADSTS900023`,
  },
  {
    id: "entra-wrong-cloud",
    when: { aadsts: [90038, 900382] },
    cause: "auth",
    meaning: "the tenant lives in another national cloud",
    remedy:
      "Set cloud of this provider to gcc-high, dod or china; Entra admin centre > Identity > Overview shows the country of the tenant.",
    source: `${codes}: AADSTS90038, AADSTS900382`,
  },
  {
    id: "entra-account-not-found",
    when: { aadsts: [50034, 50020] },
    cause: "auth",
    meaning: "the account does not exist in the tenant",
    remedy:
      "Entra admin centre > Identity > Users > All users: check that {mailbox} is there; set tenantId to its tenant.",
    source: `${codes}: AADSTS50034`,
  },
  {
    id: "entra-account-disabled",
    when: { aadsts: [50057, 50053, 50055, 50126] },
    cause: "auth",
    meaning: "the account is disabled or locked, or its password is wrong or expired",
    remedy: "Entra admin centre > Identity > Users > {user}; and Monitoring & health > Sign-in logs for the reason.",
    source: `${codes}: AADSTS50053, AADSTS50055, AADSTS50057, AADSTS50126`,
  },

  // Permission and policy
  {
    id: "entra-resource-missing",
    when: { aadsts: [500011, 500014] },
    cause: "auth",
    meaning: "Office 365 Exchange Online is missing or disabled in the tenant: no licence, or a wrong scope",
    remedy:
      "Entra admin centre > Enterprise applications > Office 365 Exchange Online > Properties: enable it; the tenant needs an Exchange Online licence; scope must be https://outlook.office365.com/.default",
    source: `${codes}: AADSTS500011, AADSTS500014`,
  },
  {
    id: "entra-consent-missing",
    when: { aadsts: [65001, 65004, 650052, 650056, 650057] },
    cause: "auth",
    meaning: "nobody has consented to the app's permission",
    remedy: `${permissionsPage} > Add > APIs my organization uses > Office 365 Exchange Online > Application permissions > SMTP.SendAsApp, then Grant admin consent.`,
    source: `${codes}: AADSTS65001, AADSTS650052, AADSTS650056, AADSTS650057; ${oauth}`,
  },
  {
    id: "entra-scope-invalid",
    when: { aadsts: [70011, 1002012, 1002016] },
    cause: "auth",
    meaning: "the scope is not one that an app can ask for by itself",
    remedy: `Set scope to https://outlook.office365.com/.default (or leave it to cloud); ${permissionsPage} shows what it covers.`,
    source: `${codes}: AADSTS70011, AADSTS1002012`,
  },
  {
    id: "entra-policy",
    when: { aadsts: [53003, 53000, 53001, 530032, 530034, 530035, 530084, 50076, 50079, 50158] },
    cause: "auth",
    meaning: "Conditional Access, multi-factor authentication or security defaults block the app",
    remedy:
      "Entra admin centre > Protection > Conditional Access > Policies; Monitoring & health > Sign-in logs > Service principal sign-ins names the policy. Exclude the app, or allow this machine's network.",
    source: `${codes}: AADSTS53003, AADSTS530032, AADSTS530035, AADSTS530084`,
  },
  {
    id: "entra-request-malformed",
    when: { aadsts: [50194, 900144, 9002313, 90014, 900561] },
    cause: "auth",
    meaning: "the endpoint does not fit the app: a wrong authority, tenant or parameter",
    remedy:
      "Set tenantId to the tenant's id (not common), and authority only where the cloud needs it; Entra admin centre > App registrations > {app} > Endpoints shows it.",
    source: `${codes}: AADSTS50194, AADSTS900144, AADSTS9002313`,
  },
];
