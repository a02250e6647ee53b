import {
  act,
  type CreateInstanceOptions,
  createInstance,
  findInstance,
  type RemoteInstance,
} from "@nodepass/master-client";
import type { InstanceAction } from "@nodepass/model";
import type { CliContext } from "../context.ts";
import { CliError, exitCodes } from "../exit-code.ts";
import { shownName } from "../output/instance-name.ts";
import { printData, printTable, stdoutStyle } from "../output/print.ts";
import { listColumns, type ShowOptions, toJson } from "../output/show-instance.ts";
import { plainText } from "../output/terminal-text.ts";
import { openMaster } from "../remote/open-master.ts";
import type { RemoteOptions } from "../remote/remote-options.ts";
import { checkBeforeSending, sayOverlooked, sayWarnings } from "./check-before-sending.ts";
import { forEachInstance, type InstanceSelection, selectInstances } from "./each-instance.ts";
import { type EditInstanceOptions, editInstance } from "./edit-instance.ts";
import { printInstance } from "./list-instances.ts";
import { withReason } from "./why-it-fails.ts";

interface ForceOption {
  /** Send a URL all the same that `check` finds fault with. */
  readonly force?: boolean | undefined;
}

/** Runs `nodepass create`. */
export async function create(
  context: CliContext,
  wanted: CreateInstanceOptions,
  options: RemoteOptions & ShowOptions & ForceOption,
): Promise<void> {
  const said = checkBeforeSending(context, wanted.url, options);
  const { client } = await openMaster(context, options);
  if (wanted.alias) warnOfTaken(context, await client.list(), wanted.alias);
  const onAnswer = (answer: RemoteInstance) => sayOverlooked(context, answer, said);
  const created = await withReason(client, createInstance(client, { ...wanted, onAnswer }));
  await printInstance(context, created, options);
}

/** Runs `nodepass edit`. */
export async function edit(
  context: CliContext,
  name: string,
  wanted: EditInstanceOptions,
  options: RemoteOptions & ShowOptions & ForceOption,
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
  const said = wanted.url === undefined ? [] : checkBeforeSending(context, wanted.url, options);
  const { client } = await openMaster(context, options);
  const all = await client.list();
  const found = findInstance(all, name);
  if (wanted.alias) {
    warnOfTaken(
      context,
      all.filter((each) => each !== found),
      wanted.alias,
    );
  }
  const onAnswer = (answer: RemoteInstance) => sayOverlooked(context, answer, said);
  const edited = await withReason(client, editInstance(client, found, { ...wanted, onAnswer }));
  await printInstance(context, edited, options);
}

/** Runs `nodepass start`, `stop`, `restart` and `reset`. */
export async function control(
  context: CliContext,
  action: InstanceAction,
  names: readonly string[],
  options: RemoteOptions & Omit<InstanceSelection, "names">,
): Promise<void> {
  const { client } = await openMaster(context, options);
  const selected = await selectInstances(client, { ...options, names });
  const results: RemoteInstance[] = [];
  try {
    await forEachInstance(context, selected, async (instance) => {
      const reached = await act(client, instance, action);
      results.push(reached);
      if (action === "start" || action === "restart") {
        await withReason(client, Promise.resolve(reached));
      }
    });
  } finally {
    if (options.json === true) {
      await printData(
        context,
        results.map((each) => toJson(each, {})),
        options,
      );
    } else if (results.length > 0) {
      printTable(context, listColumns(stdoutStyle(context), {}), results);
    }
  }
}

/** Runs `nodepass rm`. */
export async function remove(
  context: CliContext,
  names: readonly string[],
  options: RemoteOptions & Omit<InstanceSelection, "names">,
): Promise<void> {
  const { client } = await openMaster(context, options);
  const selected = await selectInstances(client, { ...options, names });
  const removed: string[] = [];
  try {
    await forEachInstance(context, selected, async (instance) => {
      await client.remove(instance.id);
      removed.push(instance.id);
      if (options.json !== true) context.stdout.write(`removed ${shownName(instance)}\n`);
    });
  } finally {
    if (options.json === true) await printData(context, removed, options);
  }
}

/** Masters let several instances have one name; commands can't tell them apart by it then. */
function warnOfTaken(context: CliContext, all: readonly RemoteInstance[], alias: string): void {
  const taken = all.filter((each) => each.alias === alias);
  if (taken.length === 0) return;
  const ids = taken.map(({ id }) => plainText(id)).join(", ");
  sayWarnings(context, [
    `the alias ${JSON.stringify(alias)} is taken by ${ids}: the name alone will mean neither`,
  ]);
}
