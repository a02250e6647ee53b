import {
  type Counters,
  countersOf,
  type Latencies,
  type PeerLink,
  type RestingTarget,
} from "@nodepass/model";
import type { InstanceFigures } from "./instance-metrics.ts";

/** What is read of a tunnel that no master runs: `Tunnel` of tunnel-core is one. */
export interface ShownTunnel {
  readonly settings: { readonly scheme: "server" | "client" };
  readonly state: "starting" | "running" | "error" | "closing" | "closed";
  readonly hasPeer: boolean;
  readonly mode: 0 | 1 | 2;
  counters(): Partial<Counters>;
  latencies(): Latencies;
  peers(): readonly (Omit<PeerLink, "reason"> & { readonly reason: string | undefined })[];
  targets(): readonly (Omit<RestingTarget, "reason"> & {
    readonly resting: boolean;
    readonly reason: string | undefined;
  })[];
}

/** A tunnel in the place of an instance. @param name its `id` and `alias` */
export function tunnelFigures(name: string, tunnel: ShownTunnel): InstanceFigures {
  const { state, mode, hasPeer } = tunnel;
  const type = tunnel.settings.scheme;
  const counters = tunnel.counters();
  const peers = tunnel.peers().map(({ reason = "", ...peer }) => ({ ...peer, reason }));
  const isSingleEnd = type === "client" && mode === 1;
  return {
    id: name,
    alias: name,
    type,
    status: state === "running" ? "running" : state === "error" ? "error" : "stopped",
    link: isSingleEnd ? "none" : hasPeer && state === "running" ? "up" : "down",
    mode,
    restingTargets: tunnel
      .targets()
      .filter(({ resting }) => resting)
      .map(({ target, protocol, reason = "" }) => ({ target, protocol, reason })),
    ...(peers.length > 0 && { peers }),
    ...countersOf((counter) => counters[counter] ?? 0),
  };
}
