import nodemailer from "nodemailer";
import { serve } from "./child.ts";
import { benchMessage } from "./load.ts";

/** The baseline: nodemailer's pool with as many connections as the provider has, and no queue, record or log. */
const { port, count, connections } = JSON.parse(process.argv[2] ?? "{}") as {
  port: number;
  count: number;
  connections: number;
};
const transport = nodemailer.createTransport({
  host: "127.0.0.1",
  port,
  secure: false,
  ignoreTLS: true,
  pool: true,
  maxConnections: connections,
});
serve<"bare">(
  {},
  {
    send: async () => {
      await Promise.all(Array.from({ length: count }, (_, number) => transport.sendMail(benchMessage(number))));
      return null;
    },
  },
  async () => transport.close(),
);
