import {
  type Counters,
  type InstanceLink,
  NO_COUNTERS,
  type PeerLink,
  type RestingTarget,
} from "@nodepass/model";
import type { HostPort } from "@nodepass/url-config";
import type { StateReport } from "./workers/messages.ts";

/** What an open tunnel has told of itself last. */
export interface LiveState {
  readonly counters: Counters;
  /** As run; 0 while it is not decided or does not run. */
  readonly mode: 0 | 1 | 2;
  readonly link: InstanceLink;
  /** Targets that are left alone while others serve. */
  readonly restingTargets: readonly RestingTarget[];
  /** Each of several peers. */
  readonly peers: readonly PeerLink[];
  /** It has not connected yet. */
  readonly connecting: boolean;
  readonly tunnelAddress: HostPort | undefined;
  readonly entryAddress: HostPort | undefined;
}

/** There is no tunnel, or none that has told anything. */
export const NOT_LIVE: LiveState = {
  counters: NO_COUNTERS,
  mode: 0,
  link: "down",
  restingTargets: [],
  peers: [],
  connecting: false,
  tunnelAddress: undefined,
  entryAddress: undefined,
};

/** The same after a report. */
export function withReport(before: LiveState, report: StateReport): LiveState {
  const { state, mode, link, restingTargets, tunnelAddress, entryAddress } = report;
  const connecting = state === "starting";
  return { ...before, mode, link, restingTargets, connecting, tunnelAddress, entryAddress };
}

/** Whether subscribers want to know of it, though the status is the same. */
export function differs(before: LiveState, after: LiveState): boolean {
  return (
    before.link !== after.link ||
    JSON.stringify(before.restingTargets) !== JSON.stringify(after.restingTargets)
  );
}
