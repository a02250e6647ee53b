import { createSocket, type Socket } from "node:dgram";
import { isIP } from "node:net";
import type { QuicAddress } from "./quiche.ts";

/** Socket buffers asked for, bytes; the system may give less. */
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;

export interface UdpPortOptions {
  readonly family: 4 | 6;
  /** Where to bind; port 0: the system chooses. */
  readonly at: QuicAddress;
  onPacket(packet: Buffer, from: QuicAddress): void;
  onError(error: Error): void;
}

/** A UDP socket as QUIC needs it. */
export interface UdpPort {
  readonly local: QuicAddress;
  send(packet: Buffer, to: QuicAddress): void;
  close(): void;
}

/** @throws the system's error if it can't be bound */
export function openUdpPort(options: UdpPortOptions): Promise<UdpPort> {
  const socket: Socket = createSocket({
    type: options.family === 6 ? "udp6" : "udp4",
    // Addresses are numeric: send() needs no look-up and is done at once.
    lookup: (host, _options, callback) => callback(null, host, isIP(host) === 6 ? 6 : 4),
  });
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      socket.close();
      reject(error);
    };
    socket.once("error", failed);
    socket.bind({ address: options.at.host, port: options.at.port, exclusive: true }, () => {
      socket.off("error", failed);
      socket.on("error", (error) => options.onError(error));
      socket.on("message", (packet, { address, port }) => {
        options.onPacket(packet, { host: address, port });
      });
      try {
        socket.setRecvBufferSize(SOCKET_BUFFER_BYTES);
        socket.setSendBufferSize(SOCKET_BUFFER_BYTES);
      } catch {
        // The system refuses: its default stays.
      }
      const { address, port } = socket.address();
      let open = true;
      resolve({
        local: { host: address, port },
        send(packet, to) {
          if (open) socket.send(packet, to.port, to.host);
        },
        close() {
          if (!open) return;
          open = false;
          socket.close();
        },
      });
    });
  });
}
