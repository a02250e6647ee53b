import type { IncomingMessage } from "node:http";
import { vi } from "vitest";
import type { InstanceAnswer } from "./api-client.ts";

/** One event of the stream. */
export interface StreamEvent {
  readonly type: string;
  readonly time: string;
  readonly instance: InstanceAnswer | null;
  readonly logs: string;
}

/** An open event stream and what came on it so far. */
export interface EventStream {
  readonly response: IncomingMessage;
  readonly events: readonly StreamEvent[];
  /** Resolves at its end: whether it ended cleanly. */
  readonly ended: Promise<boolean>;
  /** Waits for an event that is as wanted, among those that came already too. */
  waitFor(isWanted: (event: StreamEvent) => boolean): Promise<StreamEvent>;
}

/** How a stream is read. */
export interface ReadEventsOptions {
  /** The last events to keep. @default all */
  readonly keep?: number | undefined;
}

/** Reads an event stream to its end. */
export function readEvents(
  response: IncomingMessage,
  { keep = Number.POSITIVE_INFINITY }: ReadEventsOptions = {},
): EventStream {
  const events: StreamEvent[] = [];
  let rest = "";
  response.setEncoding("utf8").on("data", (chunk: string) => {
    const frames = (rest + chunk).split("\n\n");
    rest = frames.pop() ?? "";
    for (const frame of frames) {
      const data = /^data: (.*)$/m.exec(frame)?.[1];
      if (data === undefined) continue;
      events.push(JSON.parse(data));
      if (events.length > keep) events.shift();
    }
  });
  const ended = new Promise<boolean>((resolve) => {
    response.once("end", () => resolve(true));
    response.once("error", () => resolve(false));
    response.once("close", () => resolve(false));
  });
  return {
    response,
    events,
    ended,
    waitFor: (isWanted) =>
      vi.waitFor(
        () => {
          const found = events.find(isWanted);
          if (found === undefined) throw new Error("no such event yet");
          return found;
        },
        { timeout: 20_000, interval: 10 },
      ),
  };
}
