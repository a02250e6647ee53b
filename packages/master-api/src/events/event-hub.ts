import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { Instance, InstanceEvent, MasterService } from "../service.ts";
import type { EventLimits } from "./event-limits.ts";
import { EventReader } from "./event-reader.ts";
import { createFrameEncoder } from "./frame.ts";
import { presentableLines } from "./log-line.ts";

export interface EventHubParts {
  readonly service: MasterService;
  readonly clock: Clock;
  readonly limits: EventLimits;
  readonly logger: Logger;
  /** The API key's entry as streams show it. */
  keyEntry(): Instance;
}

/** Tells every open stream what happens. */
export interface EventHub {
  /**
   * @param disconnect drops the reader's connection, should it be too slow
   * @returns the bytes of a new stream, or `undefined` when there are too many or none any more
   */
  open(disconnect?: () => void): ReadableStream<Uint8Array> | undefined;
  /** Open streams. */
  readonly readers: number;
  /** Ends every stream with a `shutdown`; new ones can be opened. */
  endAll(): void;
  /** Ends every stream for good; resolves when all are gone, broken off after a moment. */
  close(): Promise<void>;
}

/** One subscription to the service, fanned out. */
export function createEventHub(parts: EventHubParts): EventHub {
  const { service, clock, limits, logger } = parts;
  const encoder = createFrameEncoder();
  const readers = new Set<EventReader>();
  let closing: Promise<void> | undefined;
  let onEmpty: (() => void) | undefined;

  const endAll = (): void => {
    for (const reader of readers) reader.end();
  };

  const unsubscribe = service.subscribe((event: InstanceEvent) => {
    if (event.type === "shutdown") {
      endAll();
    } else if (event.type === "log") {
      if (readers.size === 0) return;
      for (const line of presentableLines(event.line)) {
        for (const reader of readers) reader.pushLine(event.instance, line);
      }
    } else {
      for (const reader of readers) reader.pushState(event.type, event.instance);
    }
  });

  const open = (disconnect?: () => void): ReadableStream<Uint8Array> | undefined => {
    if (closing !== undefined || readers.size >= limits.maxReaders) return undefined;
    const reader = new EventReader({
      clock,
      limits,
      encoder,
      anyRunning: () => service.list().find((instance) => instance.status === "running"),
      disconnect,
      onCut: (reason) => logger.warn({ reason }, "event stream cut off"),
      onGone: (gone) => {
        readers.delete(gone);
        if (readers.size === 0) onEmpty?.();
      },
    });
    reader.pushState("initial", parts.keyEntry());
    for (const instance of service.list()) reader.pushState("initial", instance);
    readers.add(reader);
    return reader.stream;
  };

  const close = async (): Promise<void> => {
    unsubscribe();
    endAll();
    if (readers.size === 0) return;
    const empty = new Promise<void>((resolve) => {
      onEmpty = resolve;
    });
    const cancel = clock.after(limits.drainTimeoutMs, () => {
      for (const reader of readers) reader.destroy("the master is closing");
    });
    await empty;
    cancel();
  };

  return {
    open,
    get readers() {
      return readers.size;
    },
    endAll,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}
