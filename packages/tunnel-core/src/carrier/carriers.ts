import { TunnelError } from "../errors.ts";
import type { Carrier, CarrierType } from "./carrier.ts";
import { tcpCarrier } from "./tcp-carrier.ts";

/**
 * The carrier of a handshake's `type`.
 *
 * @throws {TunnelError} `UNSUPPORTED_POOL_TYPE`
 */
export function carrierOf(type: CarrierType): Carrier {
  if (type === 0) return tcpCarrier;
  throw new TunnelError(
    "UNSUPPORTED_POOL_TYPE",
    `the server wants pool type ${type}; this client has type 0 (TCP)`,
  );
}
