import type { FederatedCredential } from "./client-assertion.ts";
import { LAB_ACCOUNT } from "./defaults.ts";

/** An app registration. */
export type EntraApp = {
  readonly clientId: string;
  /** `expiresAt` in milliseconds since 1970; missing: never. */
  readonly secrets?: readonly { readonly value: string; readonly expiresAt?: number }[];
  /** Certificates whose assertions are accepted, PEM. */
  readonly certificates?: readonly string[];
  readonly federated?: readonly FederatedCredential[];
  readonly disabled?: boolean;
  /** Application permissions for SMTP with consent; SMTP.SendAsApp where not given. */
  readonly roles?: readonly string[];
};

/** What the stand-in for Entra ID knows. */
export type EntraRules = {
  readonly tenantId: string;
  /** The tenant's name, by which it can be asked for as well. */
  readonly tenantDomain: string;
  readonly apps: readonly EntraApp[];
  readonly tokenLifetimeS: number;
};

export const DEFAULT_ENTRA_RULES: EntraRules = {
  tenantId: LAB_ACCOUNT.tenantId,
  tenantDomain: LAB_ACCOUNT.tenantDomain,
  apps: [{ clientId: LAB_ACCOUNT.clientId, secrets: [{ value: LAB_ACCOUNT.clientSecret }] }],
  tokenLifetimeS: 3_599,
};
