import { BoxKeys, type BoxPair, fingerprintOf } from "@nodepass/fleet-protocol";
import type { FleetFileData } from "../file/fleet-file.ts";

/** Of hubs that a sync can name. */
const MAX_RUNS = 16;

/**
 * Takes over which keys the fleet has, as a hub has told by one that is known; those that it does not
 * name any more are forgotten. The file is to be saved then.
 *
 * @param keys `undefined`: a hub of before has told none, so they stay
 * @returns whether they are others now
 */
export function learnHubKeys(
  data: FleetFileData,
  keys: readonly Uint8Array[] | undefined,
): boolean {
  const [first, ...others] = keys ?? [];
  if (first === undefined || isSame(hubKeysOf(data), keys ?? [])) return false;
  data.hubKey = first;
  data.fingerprint = fingerprintOf(first);
  data.otherHubKeys = others;
  return true;
}

/** Syncs name these from now on: a hub takes only one that names its run for a word of now. */
export function learnHubRuns(data: FleetFileData, runs: readonly string[] = []): void {
  data.hubRuns = [...new Set([...runs, ...(data.hubRuns ?? [])])].slice(0, MAX_RUNS);
}

/** What this member's boxes are made of; it seals by the first. */
export function boxPairsOf(data: FleetFileData): [BoxPair, ...BoxPair[]] {
  const own = new BoxKeys(data.box);
  const pair = (peerPublicKey: Uint8Array) => ({ own, peerPublicKey });
  return [pair(data.hubKey), ...(data.otherHubKeys ?? []).map(pair)];
}

/** Of all keys by which a hub of this fleet may show itself. */
export function knownFingerprints(data: FleetFileData): readonly string[] {
  return [data.fingerprint, ...(data.otherHubKeys ?? []).map(fingerprintOf)];
}

function hubKeysOf({ hubKey, otherHubKeys = [] }: FleetFileData): readonly Uint8Array[] {
  return [hubKey, ...otherHubKeys];
}

function isSame(some: readonly Uint8Array[], others: readonly Uint8Array[]): boolean {
  return (
    some.length === others.length &&
    some.every((key, at) => Buffer.compare(key, others[at] ?? new Uint8Array()) === 0)
  );
}
