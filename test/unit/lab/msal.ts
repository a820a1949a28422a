import { request } from "node:https";
import { ConfidentialClientApplication } from "@azure/msal-node";
import type { Configuration, INetworkModule, NetworkRequestOptions, NetworkResponse } from "@azure/msal-node";
import { LAB_ACCOUNT } from "../../../src/lab/index.ts";
import type { EntraServer } from "../../../src/lab/index.ts";

/** A network module over node:https, so that the lab's authority can be trusted without touching the process. */
export function networkClient(ca: string): INetworkModule {
  const ask = <T>(method: string, url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> =>
    new Promise((resolve, reject) => {
      const outgoing = request(url, { method, ca, headers: options?.headers ?? {}, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const headers = Object.fromEntries(
            Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
          );
          const body = parse<T>(Buffer.concat(chunks).toString());
          if (body instanceof Error) reject(body);
          else resolve({ headers, body, status: response.statusCode ?? 0 });
        });
      });
      outgoing.on("error", reject);
      outgoing.end(options?.body);
    });
  return {
    sendGetRequestAsync: (url, options) => ask("GET", url, options),
    sendPostRequestAsync: (url, options) => ask("POST", url, options),
  };
}

function parse<T>(text: string): T | Error {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    return error as Error;
  }
}

/** MSAL set up for the lab's Entra ID. */
export function msal(entra: EntraServer, auth: Partial<Configuration["auth"]> = {}): ConfidentialClientApplication {
  return new ConfidentialClientApplication({
    auth: {
      clientId: LAB_ACCOUNT.clientId,
      authority: `${entra.url}/${LAB_ACCOUNT.tenantId}`,
      knownAuthorities: [new URL(entra.url).host],
      clientSecret: LAB_ACCOUNT.clientSecret,
      ...auth,
    },
    system: { networkClient: networkClient(entra.ca ?? "") },
  });
}

export async function accessToken(entra: EntraServer): Promise<string> {
  const result = await msal(entra).acquireTokenByClientCredential({ scopes: [LAB_ACCOUNT.scope] });
  return result?.accessToken ?? "";
}
