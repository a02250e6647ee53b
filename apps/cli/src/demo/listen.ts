import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { CliError } from "../exit-code.ts";

/** Lets a server listen on loopback. @returns the port; a free one for 0 */
export async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new CliError("no port to listen on");
  return address.port;
}

/** Most ports that are tried. */
const maxTries = 500;

/**
 * Finds ports of loopback that are free now, from `first` on. They are below those that systems
 * hand out by themselves, so that they are still free at another start.
 */
export async function findFreePorts(first: number, count: number): Promise<number[]> {
  const found: number[] = [];
  for (let port = first; port < first + maxTries && found.length < count; port += 1) {
    if (await isFree(port)) found.push(port);
  }
  if (found.length < count) throw new CliError(`no free port from ${first} on`);
  return found;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await listen(server, port);
    return true;
  } catch {
    // In use, or not for this user: the next one will do.
    return false;
  } finally {
    server.close();
  }
}
