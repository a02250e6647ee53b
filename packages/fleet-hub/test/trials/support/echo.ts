import { once } from "node:events";
import { connect, createServer } from "node:net";

/** Longest wait for what comes back: others may be at work on this machine, ms. */
const LIMIT_MS = 20_000;

/** Users' target, which says what it is told. */
export async function startEcho(
  host: string,
): Promise<{ readonly port: number; readonly close: () => void }> {
  const target = createServer((socket) => {
    socket.on("error", () => socket.destroy()).pipe(socket);
  }).listen(0, host);
  await once(target, "listening");
  const at = target.address();
  const port = typeof at === "object" && at !== null ? at.port : 0;
  return { port, close: () => void target.close() };
}

/** A user of a tunnel, with one word. @returns what comes back; empty: nothing */
export async function use(host: string, port: number): Promise<string> {
  const socket = connect(port, host).setTimeout(LIMIT_MS, () => socket.destroy());
  let text = "";
  socket
    .on("error", () => socket.destroy())
    .on("data", (bytes) => {
      text += bytes.toString();
      socket.end();
    });
  socket.write("hello");
  await new Promise((resolve) => socket.once("close", resolve));
  return text;
}
