import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LAB_SERVERS, LabClient, startControl, startLab } from "../lab/index.ts";
import type { Fault, LabAnswer, LabServerName } from "../lab/index.ts";

/** Where `config/development.yaml` looks for them. */
const PORTS = { entra: 2443, exchange: 2587, sendgrid: 2080, relay: 2525, graph: 2444 } as const;
const CONTROL_PORT = 2099;
const CONTROL_URL = `http://127.0.0.1:${CONTROL_PORT}`;

/** The lab's certificate authority, for `ca` settings; written anew at each start. */
const CA_FILE = join(".mailover", "lab", "ca.pem");

/** `mailover lab`: runs the stand-ins on fixed ports until Ctrl-C, and tells each message they accept. */
export async function startLabServers(): Promise<void> {
  const lab = await startLab({ ports: PORTS });
  const control = await startControl(lab, { port: CONTROL_PORT });
  await mkdir(join(CA_FILE, ".."), { recursive: true });
  await writeFile(CA_FILE, lab.ca);
  for (const name of LAB_SERVERS) {
    process.stdout.write(`${name.padEnd(9)} 127.0.0.1:${lab[name].port}\n`);
    lab[name].onAccepted(({ rcptTo, messageId }) => {
      process.stdout.write(`${name} accepted ${messageId ?? "a message"} for ${rcptTo.join(", ")}\n`);
    });
  }
  process.stdout.write(`certificate authority: ${CA_FILE}\n`);
  process.stdout.write(`to break one: mailover lab break exchange refuse; to mend it: mailover lab mend exchange\n`);
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
  await control.close();
  await lab.close();
}

/** `mailover lab status` */
export async function showLab(): Promise<void> {
  const { servers } = valueOf(await new LabClient(CONTROL_URL).state());
  for (const name of LAB_SERVERS) {
    const { host, port, faults, acceptedCount, connections } = servers[name];
    const state = faults.length === 0 ? "works" : faults.map((fault) => JSON.stringify(fault)).join(" ");
    process.stdout.write(
      `${name.padEnd(9)} ${host}:${port}  ${acceptedCount} accepted, ${connections} connections  ${state}\n`,
    );
  }
}

/** `mailover lab break`: a fault as JSON, or just its kind where it needs no more. */
export async function breakServer(server: string, fault: string): Promise<void> {
  const { faults } = valueOf(await new LabClient(CONTROL_URL).setFaults(serverName(server), faultsOf(fault)));
  process.stdout.write(`${server}: ${faults.map((set) => JSON.stringify(set)).join(" ")}\n`);
}

/** `mailover lab mend` */
export async function mendServer(server: string): Promise<void> {
  valueOf(await new LabClient(CONTROL_URL).clearFaults(serverName(server)));
  process.stdout.write(`${server}: works\n`);
}

/** The lab checks them; here they only become JSON. */
function faultsOf(text: string): Fault | readonly Fault[] {
  if (!/^\s*[[{]/.test(text)) return { kind: text } as Fault;
  try {
    return JSON.parse(text) as Fault | readonly Fault[];
  } catch (error) {
    throw new Error(`the fault is no JSON: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

function serverName(text: string): LabServerName {
  const name = LAB_SERVERS.find((known) => known === text);
  if (name === undefined) throw new Error(`"${text}" is no server of the lab; there are ${LAB_SERVERS.join(", ")}`);
  return name;
}

function valueOf<T>(answer: LabAnswer<T>): T {
  if (answer.ok) return answer.value;
  throw new Error(
    answer.error.startsWith("no lab answers") ? `${answer.error}: start it with: mailover lab` : answer.error,
  );
}
