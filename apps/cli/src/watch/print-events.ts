import { followEvents, type RemoteEvent } from "@nodepass/master-client";
import type { CliContext } from "../context.ts";
import { hasColour } from "../output/colour.ts";
import { stdoutStyle, streamPrinter } from "../output/print.ts";
import { type ShowOptions, shownPing, shownStatus, toJson } from "../output/show-instance.ts";
import { logText, plainText } from "../output/terminal-text.ts";
import { formatBytes } from "../output/units.ts";
import { openMaster } from "../remote/open-master.ts";
import type { RemoteOptions } from "../remote/remote-options.ts";
import { followUntilStopped } from "./follow-until-stopped.ts";

/** Runs `nodepass events`: all that the master tells, but for its API key. */
export async function printEvents(
  context: CliContext,
  options: RemoteOptions & ShowOptions & { readonly type?: readonly string[] },
): Promise<void> {
  const { client } = await openMaster(context, options);
  const print = await streamPrinter(context, options);
  const onEvent = (event: RemoteEvent) => {
    if (options.type !== undefined && !options.type.includes(event.type)) return;
    const { type, time, instance, logs } = event;
    if (options.json === true) {
      const shown = instance === undefined ? null : toJson(instance, options);
      print({ type, time, instance: shown, logs });
    } else {
      context.stdout.write(`${formatEvent(context, event)}\n`);
    }
  };
  await followUntilStopped(context, client, (follow) =>
    followEvents(client, { ...follow, onEvent }),
  );
}

function formatEvent(context: CliContext, { type, time, instance, logs }: RemoteEvent): string {
  const style = stdoutStyle(context);
  const start = `${style.dim(plainText(time))}  ${style.bold(plainText(type).padEnd(8))}`;
  if (instance === undefined) return start.trimEnd();
  const name = `${plainText(instance.id)}  ${plainText(instance.alias) || "-"}`;
  if (type === "log") {
    const coloured = hasColour(context.stdout, context.environment);
    return `${start}  ${name}  ${logText(logs.trimEnd().replaceAll("\n", " "), coloured)}`;
  }
  const { status, tcps, udps, pool, tcprx, tcptx, udprx, udptx } = instance;
  const numbers = [
    `tcp ${tcps}`,
    `udp ${udps}`,
    `pool ${pool}`,
    `ping ${shownPing(instance)}`,
    `rx ${formatBytes(tcprx + udprx)}`,
    `tx ${formatBytes(tcptx + udptx)}`,
  ];
  return `${start}  ${name}  ${shownStatus(status, style)}  ${style.dim(numbers.join("  "))}`;
}
