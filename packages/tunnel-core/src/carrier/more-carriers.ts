import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { TunnelError } from "../errors.ts";
import type { Carrier, CarrierType } from "./carrier.ts";

/**
 * Carriers that are packages of their own, by `type`: modules that export `carrier`, as `import()`
 * takes them.
 */
export type MoreCarriers = Readonly<Partial<Record<CarrierType, string>>>;

/** The package of a carrier that is not part of this one. */
const PACKAGES = { 1: "@nodepass/carrier-quic" } as const;

/**
 * Finds the carriers' packages that are installed where a program's file can see them. Nothing is
 * loaded.
 *
 * @param from `import.meta.url` of the program
 * @example
 * const tunnel = await openTunnel(url, { carriers: findCarriers(import.meta.url) });
 */
export function findCarriers(from: string): MoreCarriers {
  const { resolve } = createRequire(from);
  const found: { [Type in CarrierType]?: string } = {};
  for (const type of [1] as const) {
    try {
      found[type] = pathToFileURL(resolve(PACKAGES[type])).href;
    } catch {
      // It is not installed: whoever asks for its type is told what to install.
    }
  }
  return found;
}

/**
 * Loads a carrier that is a package of its own.
 *
 * @throws {TunnelError} `UNSUPPORTED_POOL_TYPE` if it is not there, naming its package
 */
export async function loadCarrier(type: 1, more: MoreCarriers): Promise<Carrier> {
  const at = more[type];
  const name = PACKAGES[type];
  const missing = (cause?: unknown): TunnelError =>
    new TunnelError(
      "UNSUPPORTED_POOL_TYPE",
      `type=${type} needs the package ${name}: npm install ${name}`,
      { cause },
    );
  if (at === undefined) throw missing();
  let module: unknown;
  try {
    module = await import(at);
  } catch (error) {
    throw missing(error);
  }
  const carrier =
    typeof module === "object" && module !== null && "carrier" in module
      ? module.carrier
      : undefined;
  if (isCarrier(carrier, type)) return carrier;
  throw new TunnelError("UNSUPPORTED_POOL_TYPE", `the module ${at} has no carrier of type ${type}`);
}

function isCarrier(value: unknown, type: CarrierType): value is Carrier {
  if (typeof value !== "object" || value === null) return false;
  if (!("type" in value && "dial" in value && "listen" in value)) return false;
  return (
    value.type === type && typeof value.dial === "function" && typeof value.listen === "function"
  );
}
