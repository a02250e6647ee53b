import {
  type Clock,
  createReaderSet,
  type EventLimits,
  type EventReader,
} from "@nodepass/master-api";
import type { Logger } from "@nodepass/model";
import type { FleetEvent } from "@nodepass/model/fleet";
import type { Caller, Fleet } from "../../fleet.ts";
import { fleetFrames, keyOf, stateTypeOf } from "./fleet-frames.ts";

/** The open streams of `GET /fleet/events`. */
export interface FleetStreams {
  /** @returns the bytes of a new stream, or `undefined` when there are too many or none any more */
  open(
    caller: Caller,
    options: { readonly instances: boolean },
  ): ReadableStream<Uint8Array> | undefined;
  readonly readers: number;
  /** Ends every stream with a `shutdown`, for good; resolves when all are gone. Idempotent. */
  close(): Promise<void>;
}

/** One subscription a reader, since what each may see differs. */
export function createFleetStreams(parts: {
  readonly fleet: Pick<Fleet, "subscribe">;
  readonly clock: Clock;
  readonly limits: EventLimits;
  readonly logger: Logger;
}): FleetStreams {
  const { clock, logger } = parts;
  // The spacing of a master's events is for a dashboard that applies them on parallel workers; here
  // it would only make readers look for what is due among everything that waits.
  const limits = { ...parts.limits, stateSpacingMs: 0 };
  const readers = createReaderSet<FleetEvent>({ clock, logger, limits });

  const tell = (reader: EventReader<FleetEvent>, event: FleetEvent): void => {
    const type = stateTypeOf(event);
    if (type !== undefined) reader.pushState(type, event);
    else if (event.type === "shutdown") reader.end();
    // Counted by its length as a log line is.
    else reader.pushLine(event, "message" in event ? event.message : "");
  };

  return {
    open(caller, options) {
      if (readers.isFull()) return undefined;
      let unsubscribe = (): void => undefined;
      const reader = readers.add({
        encoder: fleetFrames,
        keyOf,
        refresh: () => undefined,
        onGone: () => unsubscribe(),
      });
      unsubscribe = parts.fleet.subscribe(caller, options, (event) => tell(reader, event));
      return reader.stream;
    },
    get readers() {
      return readers.size;
    },
    close: () => readers.close(),
  };
}
