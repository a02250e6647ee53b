import type { Logger } from "@nodepass/model";
import type { Clock } from "../clock.ts";
import type { EventLimits } from "./event-limits.ts";
import { EventReader, type EventReaderParts } from "./event-reader.ts";

/** What all streams of one kind share. */
export interface ReaderSetParts {
  readonly clock: Clock;
  readonly limits: EventLimits;
  readonly logger: Logger;
}

/** What one stream has of its own. */
export type NewReader<State> = Pick<
  EventReaderParts<State>,
  "encoder" | "keyOf" | "refresh" | "disconnect"
> & {
  /** The reader is gone. */
  readonly onGone?: (() => void) | undefined;
};

/** The open streams of one kind: a bounded number, ended together. */
export interface ReaderSet<State> {
  readonly size: number;
  /** @param opening streams that are about to be added */
  isFull(opening?: number): boolean;
  /** @returns a new stream's reader; the caller has asked {@link isFull} */
  add(reader: NewReader<State>): EventReader<State>;
  [Symbol.iterator](): Iterator<EventReader<State>>;
  /** Ends every stream with a `shutdown`; new ones can be opened. */
  endAll(): void;
  /** Ends every stream for good; resolves when all are gone, broken off after a moment. Idempotent. */
  close(): Promise<void>;
}

/** The readers of one kind of events, bounded, each with a queue of its own. */
export function createReaderSet<State extends object>({
  clock,
  limits,
  logger,
}: ReaderSetParts): ReaderSet<State> {
  const readers = new Set<EventReader<State>>();
  let closing: Promise<void> | undefined;
  let onEmpty: (() => void) | undefined;

  const endAll = (): void => {
    for (const reader of readers) reader.end();
  };

  const close = async (): Promise<void> => {
    endAll();
    if (readers.size === 0) return;
    const empty = new Promise<void>((resolve) => {
      onEmpty = resolve;
    });
    const cancel = clock.after(limits.drainTimeoutMs, () => {
      for (const reader of readers) reader.destroy("it is closing");
    });
    await empty;
    cancel();
  };

  return {
    get size() {
      return readers.size;
    },
    isFull: (opening = 0) => closing !== undefined || readers.size + opening >= limits.maxReaders,
    add({ onGone, ...parts }) {
      const reader = new EventReader<State>({
        ...parts,
        clock,
        limits,
        onCut: (reason) => logger.warn({ reason }, "event stream cut off"),
        onGone: (gone) => {
          readers.delete(gone);
          onGone?.();
          if (readers.size === 0) onEmpty?.();
        },
      });
      readers.add(reader);
      return reader;
    },
    [Symbol.iterator]: () => readers[Symbol.iterator](),
    endAll,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}
