import { type Instance, NO_META, toWireInstance } from "@nodepass/model";

/** Frames from this size on make the dashboard's reader fail and reconnect for ever. */
export const MAX_FRAME_BYTES = 65_535;

/** First bytes of a stream: how long a browser waits before it reconnects, ms. */
export const RETRY_FRAME = "retry: 3000\n\n";

/** A comment: keeps proxies from closing an idle stream; no event for anybody. */
export const KEEP_ALIVE_FRAME = ": keep-alive\n\n";

/** What can be told of a thing's state. */
export type StateType = "initial" | "create" | "update" | "delete";

/** Makes frames of what happens to things; `time` is when it happened, ms since 1970. */
export interface FrameEncoder<State> {
  state(type: StateType, time: number, state: State): string;
  /** A line about a thing, of which none may be left out unsaid. */
  line(time: number, state: State, line: string): string;
  /** In place of lines that the reader was too slow for. */
  leftOut(count: number, time: number, state: State): string;
  shutdown(time: number): string;
}

function frame(type: string, time: number, instance: string, log: string): string {
  const stamp = new Date(time).toISOString();
  return `event: instance\ndata: {"type":"${type}","time":"${stamp}","instance":${instance},"logs":${JSON.stringify(log)}}\n\n`;
}

function encodeInstance(instance: Instance): string {
  const wire = toWireInstance(instance);
  const text = JSON.stringify(wire);
  // 20 KiB below the limit: room for the longest log line, escaped, and the frame around it.
  if (Buffer.byteLength(text) < MAX_FRAME_BYTES - 20_480) return text;
  // Only a state written by other means is so big. Readers fall back from `config` to `url`.
  return JSON.stringify({
    ...wire,
    url: wire.url.slice(0, 4096),
    config: "",
    alias: wire.alias.slice(0, 256),
    meta: NO_META,
  });
}

/** The last frame of a master's events. */
export function encodeShutdown(time: number): string {
  return frame("shutdown", time, "null", "");
}

/**
 * An encoder of a master's events with its own cache: an instance's snapshot is encoded once for all
 * readers; snapshots are immutable, so a cached text never goes stale.
 *
 * @param view what is shown of an instance; all of it if absent
 */
export function createFrameEncoder(
  view?: (instance: Instance) => Instance,
): FrameEncoder<Instance> {
  const cache = new WeakMap<Instance, string>();
  const encode = (instance: Instance): string => {
    const known = cache.get(instance);
    if (known !== undefined) return known;
    const text = encodeInstance(view === undefined ? instance : view(instance));
    cache.set(instance, text);
    return text;
  };
  const line = (time: number, instance: Instance, text: string): string =>
    frame("log", time, encode(instance), text);
  return {
    state: (type, time, instance) => frame(type, time, encode(instance), ""),
    line,
    leftOut: (count, time, instance) => line(time, instance, `(${count} log lines left out)`),
    shutdown: encodeShutdown,
  };
}
