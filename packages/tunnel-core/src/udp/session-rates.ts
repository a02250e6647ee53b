import type { LocalRates } from "../rate/local-rates.ts";
import { TokenBucket } from "../rate/token-bucket.ts";
import { DatagramThrottle } from "./datagram-throttle.ts";

/** Where datagrams go that one session's own limits (`rateconn`) let through. */
export interface SessionRatesOptions {
  readonly rates: LocalRates;
  readonly onInbound: (datagram: Buffer) => void;
  readonly onOutbound: (datagram: Buffer) => void;
  readonly onDropped: (datagrams: number) => void;
}

/** The limits of one UDP session on its own, before those of the tunnel. */
export class SessionRates {
  readonly inbound: DatagramThrottle | undefined;
  readonly outbound: DatagramThrottle | undefined;

  constructor({ rates, onInbound, onOutbound, onDropped }: SessionRatesOptions) {
    const throttle = (
      bytesPerSecond: number,
      deliver: (datagram: Buffer) => void,
    ): DatagramThrottle | undefined =>
      bytesPerSecond === 0
        ? undefined
        : new DatagramThrottle(new TokenBucket(bytesPerSecond), deliver, onDropped);
    this.inbound = throttle(rates.inbound, onInbound);
    this.outbound = throttle(rates.outbound, onOutbound);
  }

  /** Drops what waits. */
  close(): void {
    for (const throttle of [this.inbound, this.outbound]) {
      throttle?.close();
      throttle?.bucket.destroy();
    }
  }
}
