import { MasterClientError } from "@nodepass/master-client";
import { findMaster } from "@nodepass/master-client/fleet";
import {
  type FleetMaster,
  type FleetMasterChange,
  isLabelName,
  isLabelValue,
} from "@nodepass/model/fleet";
import type { CliContext } from "../context.ts";
import { CliError, exitCodes } from "../exit-code.ts";
import { printData, printFields, stdoutStyle } from "../output/print.ts";
import { plainText } from "../output/terminal-text.ts";
import { openFleet } from "../remote/open-master.ts";
import type { RemoteOptions } from "../remote/remote-options.ts";
import { describeMaster } from "./show-master.ts";

/** Somebody else may change a master at the same time; so often it is read again. */
const MAX_TRIES = 5;

/** Options of `fleet label`. */
export interface LabelOptions extends RemoteOptions {
  readonly name?: string | undefined;
  readonly address?: string | undefined;
}

/** Options of `fleet drain`. */
export interface DrainOptions extends RemoteOptions {
  readonly undo?: boolean | undefined;
}

/** Runs `nodepass fleet label`. */
export async function labelMaster(
  context: CliContext,
  masterName: string,
  words: readonly string[],
  options: LabelOptions,
): Promise<void> {
  const { name, address } = options;
  const { set, removed } = readLabels(words);
  if (words.length === 0 && name === undefined && address === undefined) {
    throw new CliError("nothing to change: give labels, --name or --address", {
      exitCode: exitCodes.usage,
    });
  }
  const { fleet } = await openFleet(context, options);
  const change = async (): Promise<FleetMaster> => {
    const master = findMaster(await fleet.masters(), masterName);
    const kept = Object.entries(master.labels).filter(([label]) => !removed.includes(label));
    const wanted: FleetMasterChange = {
      ...(words.length > 0 && { labels: { ...Object.fromEntries(kept), ...set } }),
      ...(name !== undefined && { name }),
      ...(address !== undefined && { address }),
    };
    return fleet.changeMaster(master.mid, wanted, master.revision);
  };
  const changed = await withoutLoss(change);
  if (options.json === true) await printData(context, changed, options);
  else printFields(context, describeMaster(changed, stdoutStyle(context), Date.now()));
}

/** Labels are written as a whole: what somebody else has changed meanwhile is read, and kept. */
async function withoutLoss<Result>(change: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await change();
    } catch (error) {
      const isOther = error instanceof MasterClientError && error.status === 412;
      if (!isOther || tries === MAX_TRIES) throw error;
    }
  }
}

/**
 * Reads `name=value`, `name` and `name-`.
 *
 * @throws {CliError} usage for what is none of them
 */
export function readLabels(words: readonly string[]): {
  readonly set: Readonly<Record<string, string>>;
  readonly removed: readonly string[];
} {
  const set: Record<string, string> = {};
  const removed: string[] = [];
  for (const word of words) {
    const [, name = "", value] = /^([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    const gone = value === undefined && name.endsWith("-") ? name.slice(0, -1) : undefined;
    if (!isLabelName(gone ?? name) || !isLabelValue(value ?? "")) {
      throw new CliError(`${JSON.stringify(word)} is no label; allowed: name=value, name, name-`, {
        exitCode: exitCodes.usage,
      });
    }
    if (gone === undefined) set[name] = value ?? "";
    else removed.push(gone);
  }
  return { set, removed };
}

/** Runs `nodepass fleet drain`. */
export async function drainMaster(
  context: CliContext,
  name: string,
  options: DrainOptions,
): Promise<void> {
  const { fleet } = await openFleet(context, options);
  const { mid } = findMaster(await fleet.masters(), name);
  if (options.undo === true) {
    const master = await fleet.changeMaster(mid, { draining: false });
    if (options.json === true) await printData(context, master, options);
    else context.stdout.write(`${plainText(master.name || mid)} may be given services again\n`);
    return;
  }
  const drained = await fleet.drainMaster(mid);
  const { moved, left } = drained;
  if (options.json === true) await printData(context, drained, options);
  else {
    const services = (await fleet.services()).map(({ sid, alias }) => [sid, alias] as const);
    const aliases = new Map(services);
    const shown = (sid: string) => plainText(aliases.get(sid) || sid);
    for (const sid of moved) context.stdout.write(`moved ${shown(sid)}\n`);
    for (const { sid, reason } of left) {
      context.stderr.write(`left ${shown(sid)}: ${plainText(reason)}\n`);
    }
    if (moved.length + left.length === 0) context.stderr.write("it had nothing to move\n");
  }
  if (left.length > 0) {
    throw new CliError(options.json === true ? "" : `${left.length} could not be moved`);
  }
}
