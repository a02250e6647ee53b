import type { ByteStream } from "./byte-stream.ts";

/** Addresses and certificates at the two ends of a connection. */
export type StreamEnds = Pick<
  ByteStream,
  | "remoteAddress"
  | "remotePort"
  | "localAddress"
  | "localPort"
  | "peerFingerprint"
  | "ownFingerprint"
>;

/** A stream that another connection carries: its ends are that one's. */
export abstract class CarriedStream<Carrier extends StreamEnds = ByteStream> implements StreamEnds {
  protected readonly carrier: Carrier;

  constructor(carrier: Carrier) {
    this.carrier = carrier;
  }

  get remoteAddress(): string | undefined {
    return this.carrier.remoteAddress;
  }
  get remotePort(): number | undefined {
    return this.carrier.remotePort;
  }
  get localAddress(): string | undefined {
    return this.carrier.localAddress;
  }
  get localPort(): number | undefined {
    return this.carrier.localPort;
  }
  get peerFingerprint(): string | undefined {
    return this.carrier.peerFingerprint;
  }
  get ownFingerprint(): string | undefined {
    return this.carrier.ownFingerprint;
  }
}
