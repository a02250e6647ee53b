import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { onTestFinished } from "vitest";

/** A service on a free port of loopback that sends back what it gets. */
export async function startEcho(host = "127.0.0.1"): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.pipe(socket);
  });
  server.listen(0, host);
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/**
 * Sends so many bytes there and reads them back.
 *
 * @returns how many came back
 */
export async function sendThrough(
  port: number,
  bytes: number,
  host = "127.0.0.1",
): Promise<number> {
  const socket = connect(port, host);
  socket.setTimeout(15_000, () => socket.destroy(new Error("nothing came for 15 s")));
  await once(socket, "connect");
  let received = 0;
  socket.on("data", (chunk) => {
    received += chunk.length;
    if (received >= bytes) socket.end();
  });
  socket.write(Buffer.alloc(bytes, "x"));
  await once(socket, "close");
  return received;
}
