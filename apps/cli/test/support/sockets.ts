import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { text } from "node:stream/consumers";
import { reservePort } from "test-support";
import { onTestFinished } from "vitest";

/** Starts a TCP and UDP echo server on one port of loopback; both are gone when the test ends. */
export async function startEcho(): Promise<number> {
  // Of the system's own choice it would be free for TCP, and somebody's for UDP.
  const port = await reservePort();
  const tcp = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  }).listen(port, "127.0.0.1");
  await once(tcp, "listening");
  const udp = await bindUdp(port);
  udp.on("message", (message, peer) => udp.send(message, peer.port, peer.address));
  onTestFinished(() => {
    tcp.close();
  });
  return port;
}

/** Sends `message` over TCP, ends, and reads all that comes back. */
export async function askTcp(port: number, message: string, host = "127.0.0.1"): Promise<string> {
  const socket = connect(port, host);
  socket.end(message);
  return text(socket);
}

/** Sends `message` as datagrams until one answer comes back. */
export async function askUdp(port: number, message: string): Promise<string> {
  const socket = await bindUdp(0);
  const send = () => socket.send(message, port, "127.0.0.1");
  // UDP may lose datagrams; a tunnel that has just come up may too.
  const repeat = setInterval(send, 500);
  send();
  try {
    const [answer] = await once(socket, "message");
    return String(answer);
  } finally {
    clearInterval(repeat);
  }
}

async function bindUdp(port: number): Promise<UdpSocket> {
  const socket = createSocket("udp4");
  socket.bind(port, "127.0.0.1");
  await once(socket, "listening");
  onTestFinished(() => {
    socket.close();
  });
  return socket;
}
