import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A listener on 127.0.0.1 that sends back what it gets. */
export interface EchoServer {
  readonly port: number;
  close(): Promise<void>;
}

export async function startEcho(port = 0): Promise<EchoServer> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Sends `bytes` bytes, takes as many back and closes. @returns what came back */
export async function exchange(port: number, bytes: number): Promise<number> {
  const socket = connect(port, "127.0.0.1");
  let received = 0;
  socket.on("data", (chunk) => {
    received += chunk.length;
    if (received >= bytes) socket.end();
  });
  socket.write(Buffer.alloc(bytes, 1));
  await once(socket, "close");
  return received;
}
