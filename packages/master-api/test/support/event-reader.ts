import type { WireInstance } from "@nodepass/model";

/** One event as a client sees it. */
export interface ReadEvent {
  readonly type: string;
  readonly time: string;
  readonly instance: WireInstance | null;
  readonly logs: string;
}

/** Reads an event stream frame by frame; the raw text stays at hand. */
export interface StreamReader {
  /** Frames as text, without the blank line, in one read. */
  frames(): Promise<string[]>;
  /** Events of one read. */
  events(): Promise<ReadEvent[]>;
  /** Everything that is left until the end of the stream. */
  rest(): Promise<ReadEvent[]>;
  cancel(): Promise<void>;
}

export function eventsOf(frames: readonly string[]): ReadEvent[] {
  return frames
    .map((frame) => /^event: instance\ndata: (.*)$/s.exec(frame)?.[1])
    .filter((data) => data !== undefined)
    .map((data) => JSON.parse(data) as ReadEvent);
}

export function readEvents(response: Response): StreamReader {
  const { body } = response;
  if (body === null) throw new Error("no body");
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const frames = async (): Promise<string[]> => {
    const { value, done } = await reader.read();
    if (done) throw new Error("the stream has ended");
    const text = decoder.decode(value);
    if (!text.endsWith("\n\n")) throw new Error("a chunk ends within a frame");
    return text.split("\n\n").slice(0, -1);
  };
  return {
    frames,
    events: async () => eventsOf(await frames()),
    rest: async () => {
      const all: string[] = [];
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return eventsOf(all);
        all.push(...decoder.decode(value).split("\n\n").slice(0, -1));
      }
    },
    cancel: () => reader.cancel(),
  };
}
