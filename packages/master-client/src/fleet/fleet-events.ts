import { type FleetEvent, FleetEventSchema } from "@nodepass/model/fleet";
import { type FollowOptions, followStream } from "../follow-stream.ts";
import type { FleetClient } from "./fleet-client.ts";

/** How a fleet's events are followed. */
export interface FollowFleetOptions extends FollowOptions {
  /** Returns when it can take more. */
  readonly onEvent: (event: FleetEvent) => void;
  /** Also the instances of all masters. @default false */
  readonly instances?: boolean | undefined;
}

/**
 * Follows a fleet's events until the signal ends it, over as many connections as it takes. Each begins
 * with an `initial` for every master and an `initialService` for every service.
 *
 * @throws {MasterClientError} if the first connection fails, or the hub refuses the token later
 * @example
 * await followFleetEvents(fleet, { signal, onEvent: ({ type }) => console.log(type) });
 */
export async function followFleetEvents(
  fleet: FleetClient,
  options: FollowFleetOptions,
): Promise<void> {
  await followStream(
    {
      open: (signal) => fleet.openEvents(signal, { instances: options.instances }),
      onData: (data) => {
        const event = readFleetEvent(data);
        if (event !== undefined) options.onEvent(event);
        return event !== undefined;
      },
    },
    options,
  );
}

/** Reads the data of a frame; `undefined` for what a newer hub may tell, and for nonsense. */
function readFleetEvent(text: string): FleetEvent | undefined {
  try {
    return FleetEventSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
