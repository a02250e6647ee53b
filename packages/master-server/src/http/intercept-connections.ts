import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { MasterServerError } from "../master-server-error.ts";

/**
 * Gives every new connection to `take`, and with it what the server would have done. A server that
 * is told of a connection it did not accept serves it all the same ("connection" in Node's manual).
 *
 * @param server fresh: its only listener of connections is Node's own
 * @throws {MasterServerError} `INVALID_OPTIONS` where that is not so: moving nobody's, or somebody
 *   else's, listener would leave connections unserved, or served without their check
 */
export function interceptConnections(
  server: Server,
  take: (socket: Socket, serve: (connection: Duplex) => void) => void,
): void {
  const listeners = server.listeners("connection");
  const [serve] = listeners;
  if (serve === undefined || listeners.length !== 1) {
    throw new MasterServerError(
      "INVALID_OPTIONS",
      `Node ${process.version} has ${listeners.length} listeners for new connections of an HTTP server, not 1: this version is not known here`,
    );
  }
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    take(socket, (connection) => {
      Reflect.apply(serve, server, [connection]);
    });
  });
}
