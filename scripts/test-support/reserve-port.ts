import { once } from "node:events";
import { createServer, type ListenOptions, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where a reservation is held: a name, not a port, so that a wildcard address stays free too. */
const guardOf = (port: number) =>
  process.platform === "linux"
    ? `\0nodepass-test-port-${port}`
    : join(tmpdir(), `nodepass-test-port-${port}`);

// Below the ports that systems hand out by themselves (from 32768 on), so that no socket of any
// program gets one by chance.
const firstPort = 20_000;
const portCount = 12_000;

let next = firstPort + ((process.pid * 37) % portCount);

/**
 * A port that nobody uses, and that no other test gets while this process lives, in
 * whichever run on this machine: a socket with its name is held for as long.
 */
export async function reservePort(): Promise<number> {
  for (let attempt = 0; attempt < portCount; attempt += 1) {
    const port = next;
    next = next + 1 < firstPort + portCount ? next + 1 : firstPort;
    const guard = await listen({ path: guardOf(port) });
    if (guard === undefined) continue;
    const own = await listen({ port, host: "0.0.0.0" });
    if (own !== undefined) {
      own.close();
      await once(own, "close");
      return port;
    }
    guard.close();
  }
  throw new Error(`no port is free from ${firstPort} on`);
}

/** @returns `undefined` if the address is in use */
async function listen(at: ListenOptions): Promise<Server | undefined> {
  const server = createServer();
  server.listen(at);
  try {
    await once(server, "listening");
  } catch {
    return undefined;
  }
  // A reservation keeps no process alive.
  return server.unref();
}
