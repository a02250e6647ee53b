import { holdDirectory, StoreError } from "@nodepass/store";
import { FleetFile } from "../file/fleet-file.ts";
import { FleetAgentError } from "../fleet-agent-error.ts";

/** What a master that has left runs on as its own. */
export interface LeftFleet {
  readonly fleet: string;
  readonly mid: string;
  /** Parts of services that are local instances from now on. */
  readonly parts: number;
  /** Why it was none of its members any more already; empty: it was one. */
  readonly reason: string;
}

/**
 * Takes a master that is stopped out of its fleet: its keys are forgotten, all its instances stay, as
 * local ones. The fleet is told nothing: it sees the member lost, until somebody removes it there.
 *
 * @param directory of the master's state
 * @returns `undefined` if it was in none
 * @throws {FleetAgentError} `FILE_UNUSABLE`, also while the master runs
 */
export async function leaveFleet(directory: string): Promise<LeftFleet | undefined> {
  const file = await FleetFile.open(directory);
  if (file === undefined) return undefined;
  let release: () => Promise<void>;
  try {
    release = await holdDirectory(directory);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const message = `the master has to be stopped first: ${error.message}`;
    throw new FleetAgentError("FILE_UNUSABLE", message, { cause: error });
  }
  try {
    await FleetFile.remove(directory);
  } finally {
    await release();
  }
  const { fleet, mid, parts, left: reason } = file.data;
  return { fleet, mid, parts: parts.length, reason };
}
