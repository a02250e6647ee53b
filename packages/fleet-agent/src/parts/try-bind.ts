import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import type { HostPort } from "@nodepass/url-config";

/**
 * Whether this process could listen there now: binds and lets go at once.
 *
 * @returns why not (`EADDRINUSE`); `undefined` if it can
 */
export async function tryBind(
  { host, port }: HostPort,
  protocols: { readonly tcp: boolean; readonly udp: boolean },
): Promise<string | undefined> {
  const address = host === "" ? undefined : host;
  return (
    (protocols.tcp ? await tryTcp(address, port) : undefined) ??
    (protocols.udp ? await tryUdp(address, port) : undefined)
  );
}

function tryTcp(host: string | undefined, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve(codeOf(error)));
    server.listen({ port, ...(host !== undefined && { host }), exclusive: true }, () => {
      server.close(() => resolve(undefined));
    });
  });
}

function tryUdp(address: string | undefined, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(address?.includes(":") === true ? "udp6" : "udp4");
    socket.once("error", (error) => {
      socket.close();
      resolve(codeOf(error));
    });
    socket.bind({ port, ...(address !== undefined && { address }), exclusive: true }, () => {
      socket.close(() => resolve(undefined));
    });
  });
}

function codeOf(error: Error): string {
  return "code" in error ? String(error.code) : error.message;
}
