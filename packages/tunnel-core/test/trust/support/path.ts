import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** One connection through a path. */
export interface PathConnection {
  /** How many came before it. */
  readonly index: number;
  readonly client: Socket;
  readonly server: Socket;
  /** All that the client has sent, before any change. */
  sent: Buffer;
  /** All that the server has sent, before any change. */
  answered: Buffer;
}

export interface PathOptions {
  /** Where it leads: a port of 127.0.0.1. */
  readonly to: number;
  /** Takes a connection itself, from its first bytes on. @returns whether it does */
  readonly seize?: ((client: Socket, first: Buffer) => boolean) | undefined;
  /** Changes what the client sends. */
  readonly onSent?: ((bytes: Buffer, connection: PathConnection) => Buffer) | undefined;
  /** Changes what the server answers. */
  readonly onAnswered?: ((bytes: Buffer, connection: PathConnection) => Buffer) | undefined;
}

/** Somebody between a client and a server: sees all, and changes what a test lets him. */
export interface Path {
  readonly port: number;
  readonly connections: PathConnection[];
  /** May be changed while it runs. */
  options: PathOptions;
  close(): Promise<void>;
}

/** Opens a path on a port of 127.0.0.1. */
export async function openPath(options: PathOptions): Promise<Path> {
  const sockets = new Set<Socket>();
  const listener = createServer({ noDelay: true }, (client) => {
    keep(sockets, client);
    client.once("data", (first: Buffer) => {
      if (path.options.seize?.(client, first) === true) return;
      lead(client, first);
    });
  });
  const lead = (client: Socket, first: Buffer): void => {
    const server = connect({ host: "127.0.0.1", port: path.options.to, noDelay: true });
    keep(sockets, server);
    const connection: PathConnection = {
      index: path.connections.length,
      client,
      server,
      sent: Buffer.alloc(0),
      answered: Buffer.alloc(0),
    };
    path.connections.push(connection);
    const onSent = (bytes: Buffer): void => {
      connection.sent = Buffer.concat([connection.sent, bytes]);
      server.write(path.options.onSent?.(bytes, connection) ?? bytes);
    };
    onSent(first);
    client.on("data", onSent);
    server.on("data", (bytes: Buffer) => {
      connection.answered = Buffer.concat([connection.answered, bytes]);
      client.write(path.options.onAnswered?.(bytes, connection) ?? bytes);
    });
    client.on("close", () => server.destroy());
    server.on("close", () => client.destroy());
  };
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  const path: Path = {
    port: typeof address === "object" && address !== null ? address.port : 0,
    connections: [],
    options,
    close: async () => {
      const closed = once(listener, "close");
      listener.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  return path;
}

function keep(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket);
  socket.on("error", () => {
    // Ends are part of the tests; `close` follows.
  });
  socket.once("close", () => sockets.delete(socket));
}
