import diagnostics from "node:diagnostics_channel";
import type { Socket } from "node:net";

const open = new Set<Socket>();

// Seen from this side, since a server that has stopped reading does not notice that its client is gone.
diagnostics.subscribe("net.client.socket", (message) => {
  const { socket } = message as { readonly socket: Socket };
  open.add(socket);
  socket.once("close", () => open.delete(socket));
});

/** Sockets of this process that are connected to one of these ports, or about to connect. */
export function openSocketsTo(ports: readonly number[]): number {
  return [...open].filter(({ remotePort }) => remotePort === undefined || ports.includes(remotePort)).length;
}
