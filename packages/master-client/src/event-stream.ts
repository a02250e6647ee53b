import { KEY_INSTANCE_ID } from "@nodepass/model";
import { type FollowOptions, followStream } from "./follow-stream.ts";
import type { MasterClient } from "./master-client.ts";
import { isRecord, type RemoteInstance, readInstance } from "./remote-instance.ts";

/** Something that a master tells. */
export interface RemoteEvent {
  /** `initial`, `create`, `update`, `delete`, `log`, `shutdown`. */
  readonly type: string;
  /** RFC 3339. */
  readonly time: string;
  /** Absent for `shutdown`. */
  readonly instance: RemoteInstance | undefined;
  /** The line of a `log`, else empty. */
  readonly logs: string;
}

/** How events are followed. */
export interface FollowEventsOptions extends FollowOptions {
  /** Returns when it can take more. */
  readonly onEvent: (event: RemoteEvent) => void;
  /**
   * After a stream was lost, tell `delete` of the instances that went meanwhile: streams begin with
   * those that are there and say nothing of the rest. @default true
   */
  readonly resume?: boolean | undefined;
}

/**
 * Follows the event stream until the signal ends it, over as many connections as it takes. Each
 * begins with an `initial` for every instance, so no state is missed in between.
 *
 * @throws {MasterClientError} if the first connection fails, or the master refuses the key later
 * @example
 * await followEvents(client, { signal, onEvent: ({ type, instance }) => console.log(type, instance?.id) });
 */
export async function followEvents(
  client: MasterClient,
  options: FollowEventsOptions,
): Promise<void> {
  const known = new KnownInstances(options.onEvent);
  await followStream(
    {
      open: (signal) => client.openEvents(signal),
      onData: (data) => {
        const event = readEvent(data);
        if (event !== undefined) known.tell(event);
        return event !== undefined;
      },
      ...(options.resume !== false && {
        beforeAgain: () => known.forgetMissing(client, options.signal),
      }),
    },
    options,
  );
}

/** The instances that a follower has been told of. */
class KnownInstances {
  readonly #instances = new Map<string, RemoteInstance>();
  readonly #onEvent: (event: RemoteEvent) => void;

  constructor(onEvent: (event: RemoteEvent) => void) {
    this.#onEvent = onEvent;
  }

  tell(event: RemoteEvent): void {
    const { type, instance } = event;
    if (instance !== undefined && type === "delete") this.#instances.delete(instance.id);
    else if (instance !== undefined) this.#instances.set(instance.id, instance);
    this.#onEvent(event);
  }

  /** Tells the end of those that the master does not have any more. */
  async forgetMissing(client: MasterClient, signal: AbortSignal): Promise<void> {
    if (this.#instances.size === 0) return;
    const there = new Set((await client.list()).map(({ id }) => id));
    if (signal.aborted) return;
    const time = new Date().toISOString();
    for (const [id, instance] of this.#instances) {
      if (!there.has(id)) this.tell({ type: "delete", time, instance, logs: "" });
    }
  }
}

/**
 * Reads the data of a frame; `undefined` for nonsense and for the API key's entry.
 *
 * @example
 * readEvent('{"type":"shutdown","time":"2026-01-02T03:04:05Z","instance":null,"logs":""}');
 */
export function readEvent(data: string): RemoteEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || typeof value.type !== "string") return undefined;
  const { type, time, logs } = value;
  if (isRecord(value.instance) && value.instance.id === KEY_INSTANCE_ID) return undefined;
  const instance = readInstance(value.instance);
  if (instance === undefined && type !== "shutdown") return undefined;
  return {
    type,
    time: typeof time === "string" ? time : "",
    instance,
    logs: typeof logs === "string" ? logs : "",
  };
}
