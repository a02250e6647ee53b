import {
  type FollowOptions,
  followEvents,
  type MasterClient,
  type RemoteEvent,
  type RemoteInstance,
} from "@nodepass/master-client";
import type { CliContext } from "../context.ts";
import { CliError } from "../exit-code.ts";
import { forEachInstance, selectInstances } from "../instances/each-instance.ts";
import { hasColour } from "../output/colour.ts";
import { stdoutStyle, streamPrinter } from "../output/print.ts";
import { logText, plainText } from "../output/terminal-text.ts";
import { openMaster } from "../remote/open-master.ts";
import type { RemoteOptions } from "../remote/remote-options.ts";
import { followUntilStopped } from "./follow-until-stopped.ts";

/** Which lines of which instances. */
export interface FollowLogsOptions extends RemoteOptions {
  /** Go on with what comes after the kept lines. */
  readonly follow?: boolean | undefined;
  /** The last so many of the kept lines. */
  readonly tail?: number | undefined;
  /** Kept lines from then on, milliseconds since 1970. */
  readonly since?: number | undefined;
  readonly tag?: Readonly<Record<string, string | undefined>> | undefined;
}

/**
 * Runs `nodepass logs`: with `tail` or `since` the lines that the master has kept; what comes from
 * then on with `follow`, or without any of them.
 */
export async function followLogs(
  context: CliContext,
  names: readonly string[],
  options: FollowLogsOptions,
): Promise<void> {
  const { client } = await openMaster(context, options);
  const { tail, since, tag } = options;
  const isNamed = names.length > 0 || tag !== undefined;
  const wantsKept = tail !== undefined || since !== undefined;
  const selected =
    isNamed || wantsKept
      ? await selectInstances(client, { names, tag, all: !isNamed })
      : { instances: [], problems: [] };
  const ids = isNamed ? new Set(selected.instances.map(({ id }) => id)) : undefined;
  const printLine = await linePrinter(context, options, ids?.size === 1);

  const printKept = async () => {
    const kept = await readKept(context, client, selected, { tail, since });
    for (const { time, instance, line } of kept) printLine(time, instance, line);
    return kept;
  };
  if (wantsKept && options.follow !== true) {
    await printKept();
    return;
  }
  if (!wantsKept && ids !== undefined) {
    // Says which names mean nothing; nobody follows the logs of none.
    await forEachInstance(context, selected, async () => undefined).catch((error) => {
      if (selected.instances.length === 0) throw error;
    });
  }
  // Followed first, read then: a line that comes in between is in both, and is printed once.
  let waiting: KeptLine[] | undefined = wantsKept ? [] : undefined;
  let printed = new Set<string>();
  const onEvent = ({ type, time, instance, logs: line }: RemoteEvent) => {
    if (type !== "log" || instance === undefined || ids?.has(instance.id) === false) return;
    if (waiting !== undefined) {
      if (waiting.push({ time, instance, line }) > mostWaiting) waiting.shift();
      return;
    }
    // Events have a connection of their own: one may come after the answer that has its line already.
    if (!printed.delete(keyOf({ time, instance, line }))) printLine(time, instance, line);
  };
  const follow = (options: FollowOptions) => followEvents(client, { ...options, onEvent });
  await followUntilStopped(context, client, follow, async () => {
    if (waiting === undefined) return;
    printed = new Set((await printKept()).map(keyOf));
    const missing = waiting.filter((each) => !printed.delete(keyOf(each)));
    waiting = undefined;
    for (const { time, instance, line } of missing) printLine(time, instance, line);
  });
}

/** Lines that wait for the kept ones: more than a master keeps of a hundred instances. */
const mostWaiting = 10_000;

/** Equal for one line that came both ways: it begins with its time, in milliseconds. */
function keyOf({ instance, line }: KeptLine): string {
  return `${instance.id} ${line.trimEnd()}`;
}

interface KeptLine {
  readonly time: string;
  readonly instance: RemoteInstance;
  readonly line: string;
}

/** The kept lines of all that are wanted, in the order of their times. */
async function readKept(
  context: CliContext,
  client: MasterClient,
  selected: Awaited<ReturnType<typeof selectInstances>>,
  query: { readonly tail: number | undefined; readonly since: number | undefined },
): Promise<KeptLine[]> {
  const kept: KeptLine[] = [];
  const since = query.since === undefined ? undefined : new Date(query.since);
  const asked = { tail: query.tail, since };
  const work = async (instance: RemoteInstance) => {
    for (const { time, line } of await logsOf(client, instance, asked)) {
      kept.push({ time, instance, line });
    }
  };
  await forEachInstance(context, selected, work).catch((error: unknown) => {
    if (kept.length === 0) throw error;
  });
  return kept.sort((one, other) => Date.parse(one.time) - Date.parse(other.time));
}

async function logsOf(
  client: MasterClient,
  { id }: RemoteInstance,
  query: Parameters<MasterClient["logs"]>[1],
) {
  try {
    return (await client.logs(id, query)).lines;
  } catch (error) {
    // NodePass 1.14 has no such route; an unknown instance was found out before.
    if (!(error instanceof Error && "status" in error && error.status === 404)) throw error;
    throw new CliError(
      "the master keeps no log lines; without --tail and --since they are followed",
      { cause: error },
    );
  }
}

async function linePrinter(
  context: CliContext,
  options: FollowLogsOptions,
  isOnlyOne: boolean,
): Promise<(time: string, instance: RemoteInstance, logs: string) => void> {
  const coloured = hasColour(context.stdout, context.environment);
  const { cyan } = stdoutStyle(context);
  const print = await streamPrinter(context, options);
  return (time, { id, alias }, logs) => {
    if (options.json === true) {
      print({ time, id, alias, line: logs });
      return;
    }
    const prefix = isOnlyOne ? "" : `${cyan(plainText(alias || id))}  `;
    for (const line of logs.replace(/\n$/, "").split("\n")) {
      context.stdout.write(`${prefix}${logText(line, coloured)}\n`);
    }
  };
}
