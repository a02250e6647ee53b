import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import type { Target } from "./exit-114.ts";
import type { ReplayUser } from "./replay.ts";
import { formatRemote } from "./tunnel-secret.ts";

/** Users for a replay's driver, who come to `entry` (looked up when a user is due). */
export function replayUsers(
  entry: () => Target,
): (kind: "tcp" | "udp", payload: Buffer) => Promise<ReplayUser> {
  return (kind, payload) =>
    kind === "tcp" ? tcpUser(entry(), payload) : udpUser(entry(), payload);
}

async function tcpUser(entry: Target, payload: Buffer): Promise<ReplayUser> {
  const socket = connect({ host: entry.host, port: entry.port });
  await once(socket, "connect");
  socket.on("error", () => {
    // The answer that is missing tells.
  });
  socket.write(payload);
  let received = Buffer.alloc(0);
  let grown = () => {};
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    grown();
  });
  socket.on("close", () => grown());
  return {
    remote: formatRemote(socket.localAddress ?? "", socket.localPort ?? 0),
    answer: async (length) => {
      while (received.length < length && !socket.closed) {
        await new Promise<void>((resolve) => {
          grown = resolve;
        });
      }
      return received;
    },
    close: () => socket.end(),
  };
}

async function udpUser(entry: Target, payload: Buffer): Promise<ReplayUser> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  let received = Buffer.alloc(0);
  socket.on("message", (datagram) => {
    received = Buffer.concat([received, datagram]);
  });
  const { address, port } = socket.address();
  socket.send(payload, entry.port, entry.host);
  let open = true;
  return {
    remote: formatRemote(address, port),
    answer: async (length) => {
      while (received.length < length) await once(socket, "message");
      return received;
    },
    close: () => {
      if (open) socket.close();
      open = false;
    },
  };
}
