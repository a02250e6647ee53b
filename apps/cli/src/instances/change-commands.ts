import { findInstance, type RemoteInstance } from "@nodepass/master-client";
import type { CliContext } from "../context.ts";
import { CliError, exitCodes } from "../exit-code.ts";
import { shownName } from "../output/instance-name.ts";
import { printJson, printTable, stdoutStyle } from "../output/print.ts";
import { listColumns, type ShowOptions, toJson } from "../output/show-instance.ts";
import { openMaster } from "../remote/open-master.ts";
import type { RemoteOptions } from "../remote/remote-options.ts";
import { type CreateInstanceOptions, createInstance } from "./create-instance.ts";
import { findInstances, forEachInstance } from "./each-instance.ts";
import { type EditInstanceOptions, editInstance } from "./edit-instance.ts";
import { printInstance } from "./list-instances.ts";
import { act, checkRuns, type InstanceAction } from "./settle.ts";

/** Runs `nodepass create`. */
export async function create(
  context: CliContext,
  wanted: CreateInstanceOptions,
  options: RemoteOptions & ShowOptions,
): Promise<void> {
  const { client } = await openMaster(context, options);
  printInstance(context, await createInstance(client, wanted), options);
}

/** Runs `nodepass edit`. */
export async function edit(
  context: CliContext,
  name: string,
  wanted: EditInstanceOptions,
  options: RemoteOptions & ShowOptions,
): Promise<void> {
  const isEmpty =
    wanted.url === undefined &&
    wanted.alias === undefined &&
    wanted.restart === undefined &&
    wanted.removedTags.length === 0 &&
    Object.keys({ ...wanted.tags, ...wanted.peer }).length === 0;
  if (isEmpty) {
    throw new CliError("nothing to change: give --url, --alias, --restart, --tag or --peer-…", {
      exitCode: exitCodes.usage,
    });
  }
  const { client } = await openMaster(context, options);
  const found = findInstance(await client.list(), name);
  printInstance(context, await editInstance(client, found, wanted), options);
}

/** Runs `nodepass start`, `stop`, `restart` and `reset`. */
export async function control(
  context: CliContext,
  action: InstanceAction,
  names: readonly string[],
  options: RemoteOptions,
): Promise<void> {
  const { client } = await openMaster(context, options);
  const instances = await findInstances(client, names);
  const results: RemoteInstance[] = [];
  try {
    await forEachInstance(context, instances, async (instance) => {
      const reached = await act(client, instance, action);
      results.push(reached);
      if (action === "start" || action === "restart") checkRuns(reached);
    });
  } finally {
    if (options.json === true)
      printJson(
        context,
        results.map((each) => toJson(each, {})),
      );
    else if (results.length > 0) {
      printTable(context, listColumns(stdoutStyle(context), {}), results);
    }
  }
}

/** Runs `nodepass rm`. */
export async function remove(
  context: CliContext,
  names: readonly string[],
  options: RemoteOptions,
): Promise<void> {
  const { client } = await openMaster(context, options);
  const instances = await findInstances(client, names);
  const removed: string[] = [];
  try {
    await forEachInstance(context, instances, async (instance) => {
      await client.remove(instance.id);
      removed.push(instance.id);
      if (options.json !== true) context.stdout.write(`removed ${shownName(instance)}\n`);
    });
  } finally {
    if (options.json === true) printJson(context, removed);
  }
}
