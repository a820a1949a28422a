import * as z from "zod";

const node = (port: number) =>
  z.strictObject({
    host: z.string().min(1).describe("Host name or address."),
    port: z.int().min(1).max(65_535).default(port).describe("TCP port."),
  });

function isRedisUrl(text: string): boolean {
  return text === "embedded" || (/^rediss?:\/\//.test(text) && URL.canParse(text));
}

const pem = z.string().includes("-----BEGIN", "is not PEM text; to read it from a file, set its variable with _FILE");

/** Where the store is and how to log in to it. */
export const redisSchema = z
  .strictObject({
    url: z
      .string()
      .refine(isRedisUrl, "is neither embedded nor a URL such as redis://host:6379/0 or rediss://host:6380")
      .default("embedded")
      .describe(
        "`embedded` starts a store of its own under `redis.dataDir`; else `redis://host:port/db`, or `rediss://` for TLS. " +
          "With `sentinels` or `cluster`, only its database and its TLS count.",
      ),
    username: z.string().min(1).exactOptional().describe("User of Redis' access control list."),
    password: z.string().min(1).exactOptional().describe("Password; better here, from a variable, than in the URL."),
    tls: z
      .strictObject({
        ca: pem.exactOptional().describe("Certificate authority, PEM text; from a file: `MAILOVER_REDIS_TLS_CA_FILE`."),
        cert: pem
          .exactOptional()
          .describe("Client certificate, PEM text; from a file: `MAILOVER_REDIS_TLS_CERT_FILE`."),
        key: pem.exactOptional().describe("Its key, PEM text; from a file: `MAILOVER_REDIS_TLS_KEY_FILE`."),
        servername: z.string().min(1).exactOptional().describe("Name the server's certificate must carry."),
        rejectUnauthorized: z
          .boolean()
          .default(true)
          .describe("Whether a certificate that cannot be verified is refused. `false` is for tests only."),
      })
      .exactOptional(),
    sentinels: z
      .strictObject({
        name: z.string().min(1).describe("Name of the master group."),
        hosts: z.array(node(26_379)).min(1).describe("The sentinels, as `{ host, port }`; port 26379 unless told."),
        password: z.string().min(1).exactOptional().describe("Password of the sentinels themselves."),
      })
      .exactOptional(),
    cluster: z
      .strictObject({
        nodes: z.array(node(6379)).min(1).describe("Nodes to begin with, as `{ host, port }`; port 6379 unless told."),
      })
      .exactOptional(),
    keyPrefix: z
      .never({ error: "cannot be set: BullMQ does not work with ioredis's keyPrefix; use queue.prefix" })
      .exactOptional(),
    dataDir: z
      .string()
      .min(1)
      .default(".mailover")
      .describe("Folder of the embedded store's append-only file; from the working directory."),
  })
  .refine((redis) => redis.sentinels === undefined || redis.cluster === undefined, {
    path: ["cluster"],
    error: "cannot be set beside redis.sentinels: keep one of them",
  })
  .refine((redis) => redis.url !== "embedded" || (redis.sentinels ?? redis.cluster) === undefined, {
    path: ["url"],
    error: "is a store of its own: beside redis.sentinels or redis.cluster write redis:// or rediss://",
  })
  .prefault({});
