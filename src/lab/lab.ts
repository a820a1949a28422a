import type { Clock } from "../core/index.ts";
import { createAuthority } from "./certificate.ts";
import { startEntra } from "./entra.ts";
import type { EntraServer } from "./entra.ts";
import type { EntraRules } from "./entra-rules.ts";
import { startExchange } from "./exchange.ts";
import type { ExchangeServer } from "./exchange.ts";
import type { ExchangeRules } from "./exchange-rules.ts";
import { startGraph } from "./graph.ts";
import type { GraphServer } from "./graph.ts";
import type { GraphRules } from "./graph-rules.ts";
import { startRelay } from "./relay.ts";
import type { RelayOptions, RelayServer } from "./relay.ts";
import { startSendGrid } from "./sendgrid.ts";
import type { SendGridRules, SendGridServer } from "./sendgrid.ts";

export const LAB_SERVERS = ["entra", "exchange", "graph", "sendgrid", "relay"] as const;
export type LabServerName = (typeof LAB_SERVERS)[number];

export type LabOptions = {
  readonly host?: string;
  /** Missing or 0: any free port. */
  readonly ports?: { readonly [name in LabServerName]?: number };
  readonly entra?: Partial<EntraRules>;
  readonly exchange?: Partial<ExchangeRules>;
  readonly graph?: Partial<GraphRules>;
  readonly sendgrid?: Partial<SendGridRules>;
  readonly relay?: Omit<RelayOptions, "host" | "port" | "authority" | "clock" | "seed">;
  readonly clock?: Clock;
  readonly seed?: number;
};

/** All stand-ins together, under one certificate authority. */
export type Lab = {
  /** Certificate of the lab's authority, PEM. */
  readonly ca: string;
  readonly entra: EntraServer;
  readonly exchange: ExchangeServer;
  readonly graph: GraphServer;
  readonly sendgrid: SendGridServer;
  readonly relay: RelayServer;
  close(): Promise<void>;
};

export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const { ports = {}, host = "127.0.0.1", clock = Date.now, seed = 1 } = options;
  const authority = await createAuthority();
  const common = { host, clock, seed };
  const started: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(started.map((server) => server.close()));
  };
  const opened = async <T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const server = await starting;
    started.push(server);
    return server;
  };
  try {
    const entra = await opened(
      startEntra({ ...common, authority, port: ports.entra ?? 0, rules: options.entra ?? {} }),
    );
    const exchange = await opened(
      startExchange({ ...common, authority, entra, port: ports.exchange ?? 0, rules: options.exchange ?? {} }),
    );
    const graph = await opened(
      startGraph({ ...common, authority, entra, exchange, port: ports.graph ?? 0, rules: options.graph ?? {} }),
    );
    const sendgrid = await opened(
      startSendGrid({ ...common, port: ports.sendgrid ?? 0, rules: options.sendgrid ?? {} }),
    );
    const relay = await opened(startRelay({ ...options.relay, ...common, authority, port: ports.relay ?? 0 }));
    return { ca: authority.ca, entra, exchange, graph, sendgrid, relay, close };
  } catch (error) {
    // A port that is taken: those that have started must not be left behind.
    await close();
    throw error;
  }
}
