import { type FrameEncoder, MAX_FRAME_BYTES, type StateType } from "@nodepass/master-api";
import type { FleetEvent } from "@nodepass/model/fleet";

/** What an event is about: the newest of a thing is all that a slow reader must hear of it. */
export function keyOf(event: FleetEvent): string {
  switch (event.type) {
    case "initial":
    case "master":
      return `master ${event.master.mid}`;
    case "masterRemoved":
      return `master ${event.mid}`;
    case "initialService":
    case "service":
      return `service ${event.service.sid}`;
    case "serviceRemoved":
      return `service ${event.sid}`;
    case "instance":
    case "instanceRemoved":
      return `instance ${event.instance.mid} ${event.instance.id}`;
    case "failover":
    case "alarm":
    case "shutdown":
      return event.type;
  }
}

/**
 * What a reader is told of the state of things; `undefined`: it happened, and is told as such, however
 * much happened since.
 */
export function stateTypeOf(event: FleetEvent): StateType | undefined {
  switch (event.type) {
    case "initial":
    case "initialService":
      return "initial";
    case "master":
    case "service":
    case "instance":
      return "update";
    case "masterRemoved":
    case "serviceRemoved":
    case "instanceRemoved":
      return "delete";
    case "failover":
    case "alarm":
    case "shutdown":
      return undefined;
  }
}

/** The first word of a thing stays the first, whatever became of it while it waited. */
function told(type: StateType, event: FleetEvent): FleetEvent {
  if (event.type === "initial" || event.type === "master") {
    const said = type === "initial" ? "initial" : "master";
    return event.type === said ? event : { ...event, type: said };
  }
  if (event.type === "initialService" || event.type === "service") {
    const said = type === "initial" ? "initialService" : "service";
    return event.type === said ? event : { ...event, type: said };
  }
  return event;
}

/** Events don't change: what many readers are told is encoded once. */
const encoded = new WeakMap<FleetEvent, string>();

function frame(event: FleetEvent): string {
  const known = encoded.get(event);
  if (known !== undefined) return known;
  const whole = `event: fleet\ndata: ${JSON.stringify(event)}\n\n`;
  // Browsers take longer ones, but the limit of every other stream is this stream's, too.
  const fits = Buffer.byteLength(whole) <= MAX_FRAME_BYTES;
  const text = fits ? whole : `: an event of ${event.type} is too long\n\n`;
  encoded.set(event, text);
  return text;
}

/** Frames of a fleet's events: `event: fleet`, and the event as `data`. */
export const fleetFrames: FrameEncoder<FleetEvent> = {
  state: (type, _time, event) => frame(told(type, event)),
  line: (_time, event) => frame(event),
  leftOut: (count) => `: ${count} events left out\n\n`,
  shutdown: (time) => frame({ type: "shutdown", time: new Date(time).toISOString() }),
};
