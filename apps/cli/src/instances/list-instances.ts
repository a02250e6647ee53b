import { findInstance, type RemoteInstance } from "@nodepass/master-client";
import type { CliContext } from "../context.ts";
import { commandName } from "../output/command-name.ts";
import { printFields, printJson, printTable, stdoutStyle } from "../output/print.ts";
import {
  describeInstance,
  listColumns,
  type ShowOptions,
  toJson,
} from "../output/show-instance.ts";
import { openMaster } from "../remote/open-master.ts";
import type { RemoteOptions } from "../remote/remote-options.ts";

/** Runs `nodepass ls`. */
export async function listInstances(
  context: CliContext,
  options: RemoteOptions & ShowOptions & { readonly quiet?: boolean },
): Promise<void> {
  const { client } = await openMaster(context, options);
  const instances = await client.list();
  if (options.quiet === true) {
    if (options.json === true)
      printJson(
        context,
        instances.map(({ id }) => id),
      );
    else context.stdout.write(instances.map(({ id }) => `${id}\n`).join(""));
  } else if (options.json === true) {
    printJson(
      context,
      instances.map((instance) => toJson(instance, options)),
    );
  } else if (instances.length === 0 && context.stdout.isTTY === true) {
    const command = commandName(context.environment);
    context.stdout.write(`no instances at ${client.origin}; ${command} create makes one\n`);
  } else {
    printTable(context, listColumns(stdoutStyle(context), options), instances);
  }
}

/** Runs `nodepass show`. */
export async function showInstance(
  context: CliContext,
  name: string,
  options: RemoteOptions & ShowOptions,
): Promise<void> {
  const { client } = await openMaster(context, options);
  printInstance(context, findInstance(await client.list(), name), options);
}

/** Prints one instance. */
export function printInstance(
  context: CliContext,
  instance: RemoteInstance,
  options: RemoteOptions & ShowOptions,
): void {
  if (options.json === true) printJson(context, toJson(instance, options));
  else printFields(context, describeInstance(instance, stdoutStyle(context), options));
}
