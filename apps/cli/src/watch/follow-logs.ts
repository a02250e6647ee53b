import type { RemoteInstance } from "@nodepass/master-client";
import type { CliContext } from "../context.ts";
import { findInstances } from "../instances/each-instance.ts";
import { hasColour } from "../output/colour.ts";
import { printJsonLine, stdoutStyle } from "../output/print.ts";
import { logText, plainText } from "../output/terminal-text.ts";
import { openMaster } from "../remote/open-master.ts";
import type { RemoteOptions } from "../remote/remote-options.ts";
import { followUntilStopped } from "./follow-until-stopped.ts";

/** Runs `nodepass logs`: the lines of the named instances as they come, of all without names. */
export async function followLogs(
  context: CliContext,
  names: readonly string[],
  options: RemoteOptions,
): Promise<void> {
  const { client } = await openMaster(context, options);
  const wanted = names.length === 0 ? undefined : await findInstances(client, names);
  const ids = wanted && new Set(wanted.map(({ id }) => id));
  const coloured = hasColour(context.stdout, context.environment);
  const { cyan } = stdoutStyle(context);
  const prefix = (instance: RemoteInstance) =>
    ids?.size === 1 ? "" : `${cyan(plainText(instance.alias || instance.id))}  `;

  await followUntilStopped(context, client, ({ type, time, instance, logs }) => {
    if (type !== "log" || instance === undefined || ids?.has(instance.id) === false) return;
    const { id, alias } = instance;
    if (options.json === true) {
      printJsonLine(context, { time, id, alias, line: logs });
      return;
    }
    for (const line of logs.replace(/\n$/, "").split("\n")) {
      context.stdout.write(`${prefix(instance)}${logText(line, coloured)}\n`);
    }
  });
}
