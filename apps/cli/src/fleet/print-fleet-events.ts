import { followFleetEvents } from "@nodepass/master-client/fleet";
import type { FleetEvent } from "@nodepass/model/fleet";
import { redact } from "@nodepass/url-config";
import type { CliContext } from "../context.ts";
import { stdoutStyle, streamPrinter } from "../output/print.ts";
import type { ShowOptions } from "../output/show-instance.ts";
import { plainText } from "../output/terminal-text.ts";
import { openFleet } from "../remote/open-master.ts";
import type { RemoteOptions } from "../remote/remote-options.ts";
import { followUntilStopped } from "../watch/follow-until-stopped.ts";
import { serviceToJson } from "./show-service.ts";

/** Options of `fleet events`. */
export interface FleetEventsOptions extends RemoteOptions {
  readonly type?: readonly string[] | undefined;
  readonly showKey?: boolean | undefined;
}

/** Runs `nodepass fleet events`. */
export async function printFleetEvents(
  context: CliContext,
  options: FleetEventsOptions,
): Promise<void> {
  const { fleet } = await openFleet(context, options);
  const print = await streamPrinter(context, options);
  await followUntilStopped(context, fleet, (follow) =>
    followFleetEvents(fleet, {
      ...follow,
      onEvent: (event) => {
        if (options.type !== undefined && !options.type.includes(event.type)) return;
        if (options.json === true) print(hidden(event, options));
        else context.stdout.write(`${formatEvent(context, event)}\n`);
      },
    }),
  );
}

/** The event with the keys in its URLs hidden unless asked for. */
function hidden(event: FleetEvent, options: ShowOptions): FleetEvent {
  if (options.showKey === true) return event;
  if ("service" in event) return { ...event, service: serviceToJson(event.service, options) };
  if (!("instance" in event)) return event;
  const { instance } = event;
  return {
    ...event,
    instance: { ...instance, url: redact(instance.url), config: redact(instance.config) },
  };
}

function formatEvent(context: CliContext, event: FleetEvent): string {
  const { dim, bold } = stdoutStyle(context);
  const start = `${dim(plainText(event.time))}  ${bold(event.type.padEnd(15))}`;
  return `${start}  ${plainText(say(event))}`.trimEnd();
}

/** An event in a line. */
function say(event: FleetEvent): string {
  const told = (name: string, message: string) => (message === "" ? name : `${name}: ${message}`);
  switch (event.type) {
    case "initial":
    case "master": {
      const { mid, name, status } = event.master;
      return told(`${name || mid} ${status}`, event.message);
    }
    case "masterRemoved":
      return told(event.mid, event.message);
    case "initialService":
    case "service": {
      const { sid, alias, parts } = event.service;
      const states = parts.map(({ role, state }) => `${role} ${state}`).join(", ");
      return told(`${alias || sid} ${states}`, event.message);
    }
    case "serviceRemoved":
      return told(event.sid, event.message);
    case "failover": {
      // The message names the service and its masters as people call them.
      const { sid, part, from, to, message } = event;
      return message || `${sid} ${part} from ${from ?? "nobody"} to ${to ?? "nobody"}`;
    }
    case "alarm":
      return told(`${event.alarm} ${event.raised ? "raised" : "over"}`, event.message);
    case "instance":
    case "instanceRemoved": {
      const { master, mid, id, alias, status } = event.instance;
      return `${master || mid} ${id} ${alias || "-"} ${status}`;
    }
    case "shutdown":
      return "the hub stops";
  }
}
