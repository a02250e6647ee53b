import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { reservePort } from "test-support";
import { onTestFinished } from "vitest";
import { ask, type MasterProcess } from "./run-master.ts";

/** Has a master run a tunnel of one end, and keeps a connection through it open. */
export async function holdTunnel(master: MasterProcess): Promise<[target: Server, held: Socket]> {
  const target = createServer((socket) => {
    socket.on("error", () => undefined).write("hello");
  }).listen(0, "127.0.0.1");
  await once(target, "listening");
  const { port } = target.address() as AddressInfo;
  const entry = await reservePort();
  const url = `client://127.0.0.1:${entry}/127.0.0.1:${port}?mode=1`;
  const { status } = await ask(master, "POST", "/instances", { url });
  if (status !== 201) throw new Error(`POST /instances: ${status}`);
  const held = connect(entry, "127.0.0.1").on("error", () => undefined);
  onTestFinished(() => {
    held.destroy();
    target.close();
  });
  await once(held, "data");
  return [target, held];
}
