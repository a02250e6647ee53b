import { findInstance, type RemoteInstance } from "@nodepass/master-client";
import type { InstanceLogLine } from "@nodepass/model";
import type { CliContext } from "../context.ts";
import { commandName } from "../output/command-name.ts";
import { printData, printFields, stdoutStyle } from "../output/print.ts";
import { type Listing, printList } from "../output/print-list.ts";
import {
  describeInstance,
  listColumns,
  type ShowOptions,
  toJson,
} from "../output/show-instance.ts";
import { plainText } from "../output/terminal-text.ts";
import { openMaster } from "../remote/open-master.ts";
import type { RemoteOptions } from "../remote/remote-options.ts";
import { watchList } from "../watch/watch-list.ts";
import { hasTags } from "./each-instance.ts";
import { lastLines } from "./why-it-fails.ts";

/** How instances are listed. */
export interface ListInstancesOptions extends RemoteOptions, ShowOptions {
  readonly quiet?: boolean;
  readonly watch?: boolean;
  /** Only those that have all of these; `undefined` means any value. */
  readonly tag?: Readonly<Record<string, string | undefined>>;
}

/** Runs `nodepass ls`. */
export async function listInstances(
  context: CliContext,
  options: ListInstancesOptions,
): Promise<void> {
  const { client, shown } = await openMaster(context, options);
  if (options.watch === true) {
    await watchList(context, client, (all) => printInstances(context, shown, all, options));
  } else await printInstances(context, shown, await client.list(), options);
}

async function printInstances(
  context: CliContext,
  master: string,
  all: readonly RemoteInstance[],
  options: ListInstancesOptions,
): Promise<void> {
  const { tag } = options;
  const named = options.master === undefined ? "" : ` -m ${plainText(options.master)}`;
  const command = `${commandName(context.environment)}${named}`;
  const what = tag === undefined ? "no instances" : "no instances with that tag";
  const listing: Listing<RemoteInstance> = {
    rows: tag === undefined ? all : all.filter((each) => hasTags(each, tag)),
    id: ({ id }) => id,
    data: (instance) => toJson(instance, options),
    columns: (style) => listColumns(style, { ...options, wide: options.output === "wide" }),
    none: `${what} at ${master}\nThis makes one: ${command} create 'client://127.0.0.1:8080/example.com:80?mode=1' --alias web`,
  };
  await printList(context, listing, options);
}

/** Runs `nodepass show`. */
export async function showInstance(
  context: CliContext,
  name: string,
  options: RemoteOptions & ShowOptions,
): Promise<void> {
  const { client } = await openMaster(context, options);
  const instance = findInstance(await client.list(), name);
  const lines = instance.status === "error" ? await lastLines(client, instance) : [];
  await printInstance(context, instance, options, lines);
}

/** Prints one instance. */
export async function printInstance(
  context: CliContext,
  instance: RemoteInstance,
  options: RemoteOptions & ShowOptions,
  lines: readonly InstanceLogLine[] = [],
): Promise<void> {
  if (options.json === true) {
    await printData(context, toJson(instance, options), options);
    return;
  }
  const fields = describeInstance(instance, stdoutStyle(context), options);
  const log = lines.map(({ line }, index): [string, string] => [
    index === 0 ? "last lines" : "",
    plainText(line.trimEnd()),
  ]);
  printFields(context, [...fields, ...log]);
}
