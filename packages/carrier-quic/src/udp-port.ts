import { answerUser, bindUdpPort } from "@nodepass/tunnel-core";
import type { QuicAddress } from "./quiche.ts";

export interface UdpPortOptions {
  /** Where to bind; port 0: the system chooses, host "": all addresses. */
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

/** @throws {TunnelError} `ADDRESS_IN_USE`, `BIND_FAILED` */
export async function openUdpPort(options: UdpPortOptions): Promise<UdpPort> {
  const socket = await bindUdpPort(options.at);
  socket.on("error", (error) => options.onError(error));
  socket.on("message", (packet, { address, port }) => {
    // Nobody can be answered at port 0.
    if (port !== 0) options.onPacket(packet, { host: address, port });
  });
  const { address, port } = socket.address();
  let open = true;
  return {
    local: { host: address, port },
    send(packet, to) {
      if (open) answerUser(socket, packet, to.port, to.host);
    },
    close() {
      if (!open) return;
      open = false;
      socket.close();
    },
  };
}
