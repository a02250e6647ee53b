import type { TunnelSettings } from "@nodepass/url-config";

/** Which side of a tunnel an end has beside it: its users, or its targets. */
export type Facing = "users" | "targets";

/** Bytes per second as an end meets them, 0 = no limit. */
export interface LocalRates {
  /** Of what is read from the local side: the user, or the target. */
  readonly inbound: number;
  /** Of what is written to it. */
  readonly outbound: number;
}

/** Up is from users to targets: what an end reads from its users, or writes to its targets. */
export function localRates(
  {
    rateBytesPerSecond: up,
    rateDownBytesPerSecond: down = up,
  }: Pick<TunnelSettings, "rateBytesPerSecond" | "rateDownBytesPerSecond">,
  facing: Facing,
): LocalRates {
  return facing === "users" ? { inbound: up, outbound: down } : { inbound: down, outbound: up };
}

/** The same for each connection; `undefined` where there is no limit. */
export function localConnectionRates(
  { connectionRates }: Pick<TunnelSettings, "connectionRates">,
  facing: Facing,
): LocalRates | undefined {
  const { upBytesPerSecond, downBytesPerSecond } = connectionRates;
  if (upBytesPerSecond === 0 && downBytesPerSecond === 0) return undefined;
  return localRates(
    { rateBytesPerSecond: upBytesPerSecond, rateDownBytesPerSecond: downBytesPerSecond },
    facing,
  );
}
