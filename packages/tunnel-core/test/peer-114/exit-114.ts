import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { Duct, relayTcp } from "./duct.ts";
import type { Ledger } from "./ledger.ts";

/** Longest datagram that 1.14 reads; the rest of a longer one is cut off silently. */
export const UDP_BUFFER_BYTES = 16_384;

export interface Target {
  readonly host: string;
  readonly port: number;
}

export interface ExitOptions {
  readonly target: Target;
  readonly ledger: Ledger;
  readonly udpIdleMs: number;
  /** Ducts that end with the session. */
  readonly live: Set<Duct>;
}

/** Counts `name` as open until the returned function is called (once or more). */
function countOpen(ledger: Ledger, name: "tcps" | "udps"): () => void {
  const openName = name === "tcps" ? "openTcps" : "openUdps";
  ledger.counters[name]++;
  ledger.counters[openName]++;
  let open = true;
  return () => {
    if (open) ledger.counters[openName]--;
    open = false;
  };
}

/** Relays `user` over the pool connection `duct`, counted; both die with the session. */
export function carryTcp(user: Duct, duct: Duct, ledger: Ledger, live: Set<Duct>): void {
  const closed = countOpen(ledger, "tcps");
  for (const end of [user, duct]) {
    live.add(end);
    end.socket.once("close", () => live.delete(end));
  }
  relayTcp(user, duct, closed);
}

/** One UDP session on a pool connection: without frames, each read is one datagram. */
export interface UdpCarrier {
  /** Writes a datagram to the pool connection. */
  send(datagram: Buffer): void;
  close(): void;
}

/**
 * Carries a UDP session on `duct`: `received` gets what each read brought, `closed` is called once
 * when the session has ended (idle, EOF or `close()`).
 */
export function carryUdp(
  duct: Duct,
  options: Pick<ExitOptions, "ledger" | "udpIdleMs" | "live">,
  received: (datagram: Buffer) => void,
  closed: () => void,
): UdpCarrier {
  const uncount = countOpen(options.ledger, "udps");
  options.live.add(duct);
  let over = false;
  const close = () => {
    if (over) return;
    over = true;
    clearTimeout(idle);
    options.live.delete(duct);
    duct.finish();
    uncount();
    closed();
  };
  const idle = setTimeout(close, options.udpIdleMs);
  duct.attach({
    data: (chunk) => {
      idle.refresh();
      for (let at = 0; at < chunk.length; at += UDP_BUFFER_BYTES) {
        received(chunk.subarray(at, at + UDP_BUFFER_BYTES));
      }
    },
    end: close,
    close,
  });
  return {
    send: (datagram) => {
      if (over || !duct.socket.writable) return;
      idle.refresh();
      duct.socket.write(datagram.subarray(0, UDP_BUFFER_BYTES));
    },
    close,
  };
}

/** Dials the target for a `tcp` signal and relays; a target that refuses closes the connection. */
export function exitTcp(duct: Duct, options: ExitOptions): void {
  const { target, ledger, live } = options;
  live.add(duct);
  const socket = connect({ host: target.host, port: target.port, allowHalfOpen: true });
  const refused = () => {
    live.delete(duct);
    duct.destroy();
  };
  socket.once("error", refused);
  socket.once("connect", () => {
    socket.off("error", refused);
    carryTcp(new Duct(socket), duct, ledger, live);
  });
}

/** Opens a socket towards the target for a `udp` signal and relays datagrams. */
export function exitUdp(duct: Duct, options: ExitOptions): void {
  const { target, live } = options;
  live.add(duct);
  const socket = createSocket(target.host.includes(":") ? "udp6" : "udp4");
  socket.on("error", () => {
    // A target that refuses datagrams: they are lost, as datagrams may be.
  });
  socket.connect(target.port, target.host, () => {
    const carrier = carryUdp(
      duct,
      options,
      (datagram) => socket.send(datagram),
      () => socket.close(),
    );
    socket.on("message", (datagram) => carrier.send(datagram));
  });
}
