import { TunnelError } from "../errors.ts";
import type { Carrier, CarrierType } from "./carrier.ts";

/** Carriers that are packages of their own, by `type`; each is loaded when it is first used. */
export type MoreCarriers = Readonly<Partial<Record<CarrierType, () => Promise<Carrier>>>>;

/** The package of a carrier that is not part of this one. */
const PACKAGES: Readonly<Partial<Record<CarrierType, string>>> = { 1: "@nodepass/carrier-quic" };

/**
 * The carrier of a `type`: what this process has of it is chosen here and nowhere else.
 *
 * @throws {TunnelError} `UNSUPPORTED_POOL_TYPE` if its package is not there, naming it
 */
export async function carrierOf(type: CarrierType, more: MoreCarriers = {}): Promise<Carrier> {
  switch (type) {
    case 0:
      return (await import("./tcp-carrier.ts")).tcpCarrier;
    case 2:
      return (await import("./websocket/websocket-carrier.ts")).webSocketCarrier;
    case 3:
      return (await import("./http2/http2-carrier.ts")).http2Carrier;
    case 1:
      return loadMore(type, more[type]);
  }
}

async function loadMore(
  type: CarrierType,
  load: (() => Promise<Carrier>) | undefined,
): Promise<Carrier> {
  const name = PACKAGES[type] ?? "";
  const missing = (cause?: unknown): TunnelError =>
    new TunnelError(
      "UNSUPPORTED_POOL_TYPE",
      `type=${type} needs the package ${name}: npm install ${name}`,
      { cause },
    );
  if (load === undefined) throw missing();
  try {
    return await load();
  } catch (error) {
    if (error instanceof TunnelError) throw error;
    throw missing(error);
  }
}
