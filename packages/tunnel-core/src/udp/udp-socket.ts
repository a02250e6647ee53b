import { createSocket, type Socket, type SocketOptions } from "node:dgram";
import { isIP } from "node:net";

/** Socket buffers asked for, bytes; the system may give less. */
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;

/** Addresses are always numeric here; with this, send() needs no look-up and is synchronous. */
const numericLookup: NonNullable<SocketOptions["lookup"]> = (address, _options, callback) => {
  callback(null, address, isIP(address) === 6 ? 6 : 4);
};

export interface UdpSocketOptions {
  /** Let an IPv6 socket take IPv4 datagrams too. */
  readonly bindAll?: boolean | undefined;
  /** The address to bind is a name. */
  readonly systemLookup?: boolean | undefined;
  /** Share the port with other sockets of this process that are bound to other addresses. */
  readonly reuseAddress?: boolean | undefined;
}

/** A UDP socket that sends to numeric addresses. */
export function createUdpSocket(family: 4 | 6, options: UdpSocketOptions = {}): Socket {
  return createSocket({
    type: family === 6 ? "udp6" : "udp4",
    reuseAddr: options.reuseAddress === true,
    ipv6Only: family === 6 && options.bindAll !== true,
    ...(options.systemLookup === true ? {} : { lookup: numericLookup }),
  });
}

/** Asks for large socket buffers; the system's limits are fine too. */
export function enlargeBuffers(socket: Socket): void {
  try {
    socket.setRecvBufferSize(SOCKET_BUFFER_BYTES);
    socket.setSendBufferSize(SOCKET_BUFFER_BYTES);
  } catch {
    // The system refuses: its default stays.
  }
}

/**
 * Answers a user. A datagram may come from port 0 (RFC 768: it wants no answer); `send()` throws
 * for that, which no stranger may cause.
 *
 * @returns whether it was sent
 * @example
 * socket.on("message", (datagram, { port, address }) => answerUser(socket, datagram, port, address));
 */
export function answerUser(
  socket: Socket,
  datagram: Buffer,
  port: number,
  address: string,
): boolean {
  if (port === 0) return false;
  socket.send(datagram, port, address);
  return true;
}
