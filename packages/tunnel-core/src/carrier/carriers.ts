import type { Carrier, CarrierType } from "./carrier.ts";
import { loadCarrier, type MoreCarriers } from "./more-carriers.ts";

/**
 * The carrier of a `type`: chosen here and nowhere else, and loaded when it is first used.
 *
 * @throws {TunnelError} `UNSUPPORTED_POOL_TYPE` if its package is not there, naming it
 */
export async function carrierOf(type: CarrierType, more: MoreCarriers = {}): Promise<Carrier> {
  switch (type) {
    case 0:
      return (await import("./tcp-carrier.ts")).tcpCarrier;
    case 1:
      return loadCarrier(type, more);
    case 2:
      return (await import("./websocket/websocket-carrier.ts")).webSocketCarrier;
    case 3:
      return (await import("./http2/http2-carrier.ts")).http2Carrier;
  }
}
