import type { Instance, InstanceEvent, InstanceService, Logger } from "@nodepass/model";
import type { Clock } from "../clock.ts";
import { withoutKeys } from "../instance-view.ts";
import type { EventLimits } from "./event-limits.ts";
import type { EventReader } from "./event-reader.ts";
import { createFrameEncoder } from "./frame.ts";
import { presentableLines } from "./log-line.ts";
import { createReaderSet } from "./reader-set.ts";

export interface EventStreamsParts {
  readonly instances: InstanceService;
  readonly clock: Clock;
  readonly limits: EventLimits;
  readonly logger: Logger;
  /** The API key's entry as streams show it. */
  keyEntry(): Promise<Instance>;
}

/** How one stream is opened. */
export interface OpenStreamOptions {
  /** Leave the tunnels' keys out of URLs. */
  readonly readOnly: boolean;
  /** Drops the reader's connection, should it be too slow. */
  readonly disconnect?: (() => void) | undefined;
}

/** Tells every open stream what happens. */
export interface EventStreams {
  /**
   * @returns the bytes of a new stream, or `undefined` when there are too many or none any more
   */
  open(options: OpenStreamOptions): Promise<ReadableStream<Uint8Array> | undefined>;
  /** Open streams. */
  readonly readers: number;
  /** Ends every stream with a `shutdown`; new ones can be opened. */
  endAll(): void;
  /** Ends every stream for good; resolves when all are gone, broken off after a moment. */
  close(): Promise<void>;
}

/** One subscription to the service, fanned out. */
export function createEventStreams(parts: EventStreamsParts): EventStreams {
  const { instances, clock, limits, logger } = parts;
  const encoders = { full: createFrameEncoder(), read: createFrameEncoder(withoutKeys) };
  const readers = createReaderSet<Instance>({ clock, limits, logger });
  /** What happens while the instances of a new stream are being listed. */
  const openings = new Set<InstanceEvent[]>();
  /** Shown again on quiet streams. */
  let lastRunning: Instance | undefined;

  const tell = (reader: EventReader<Instance>, event: InstanceEvent): void => {
    if (event.type === "create" || event.type === "update" || event.type === "delete") {
      reader.pushState(event.type, event.instance);
    }
  };

  const noteRunning = ({ type, instance }: Exclude<InstanceEvent, { type: "shutdown" }>): void => {
    const isRunning = instance.status === "running" && type !== "delete";
    if (isRunning) lastRunning = instance;
    else if (lastRunning?.id === instance.id) lastRunning = undefined;
  };

  const unsubscribe = instances.subscribe((event: InstanceEvent) => {
    for (const missed of openings) missed.push(event);
    if (event.type === "shutdown") {
      readers.endAll();
    } else if (event.type === "log") {
      if (readers.size === 0) return;
      for (const line of presentableLines(event.line)) {
        for (const reader of readers) reader.pushLine(event.instance, line);
      }
    } else {
      noteRunning(event);
      for (const reader of readers) tell(reader, event);
    }
  });

  const open = async ({
    readOnly,
    disconnect,
  }: OpenStreamOptions): Promise<ReadableStream<Uint8Array> | undefined> => {
    if (readers.isFull(openings.size)) return undefined;
    const missed: InstanceEvent[] = [];
    openings.add(missed);
    let key: Instance;
    let all: readonly Instance[];
    try {
      [key, all] = await Promise.all([parts.keyEntry(), instances.list()]);
    } finally {
      openings.delete(missed);
    }
    if (readers.isFull(openings.size)) return undefined;
    const reader = readers.add({
      encoder: readOnly ? encoders.read : encoders.full,
      keyOf: ({ id }) => id,
      refresh: () => lastRunning,
      disconnect,
    });
    reader.pushState("initial", key);
    for (const instance of all) reader.pushState("initial", instance);
    lastRunning ??= all.find(({ status }) => status === "running");
    // Of what the list knows already, this tells nothing new.
    for (const event of missed) tell(reader, event);
    if (missed.some(({ type }) => type === "shutdown")) reader.end();
    return reader.stream;
  };

  return {
    open,
    get readers() {
      return readers.size;
    },
    endAll: readers.endAll,
    close: () => {
      unsubscribe();
      return readers.close();
    },
  };
}
