import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** What one connection through a tap carried. */
export interface TappedConnection {
  /** From who dialled, in the order of arrival. */
  readonly fromClient: Buffer[];
  readonly fromServer: Buffer[];
}

/** A relay between two nodes that records, and may change, what passes. */
export interface TcpTap {
  readonly port: number;
  readonly connections: TappedConnection[];
  /** Changes a piece from the server; `connection` counts from 0. */
  onServerBytes: (bytes: Buffer, connection: number) => Buffer;
  /** Where new connections go. */
  upstream: number;
  close(): void;
}

export async function startTap(upstream: number): Promise<TcpTap> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const index = tap.connections.length;
    const record: TappedConnection = { fromClient: [], fromServer: [] };
    tap.connections.push(record);
    const node = connect({ host: "127.0.0.1", port: tap.upstream, allowHalfOpen: true });
    for (const [from, to] of [
      [client, node],
      [node, client],
    ] as const) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.once("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on("end", () => to.end());
    }
    client.on("data", (bytes: Buffer) => {
      record.fromClient.push(bytes);
      node.write(bytes);
    });
    node.on("data", (bytes: Buffer) => {
      record.fromServer.push(bytes);
      client.write(tap.onServerBytes(bytes, index));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const tap: TcpTap = {
    port: typeof address === "object" && address !== null ? address.port : 0,
    connections: [],
    onServerBytes: (bytes) => bytes,
    upstream,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  return tap;
}
