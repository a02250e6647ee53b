import { findInstance, type MasterClient, type RemoteInstance } from "@nodepass/master-client";
import type { CliContext } from "../context.ts";
import { asCliError, CliError, exitCodes } from "../exit-code.ts";
import { tryEach } from "../output/try-each.ts";

/** Which instances a command is for. */
export interface InstanceSelection {
  readonly names: readonly string[];
  readonly all?: boolean | undefined;
  /** Tags that an instance must have; a value of `undefined` means any. */
  readonly tag?: Readonly<Record<string, string | undefined>> | undefined;
}

/** What a selection found. */
export interface SelectedInstances {
  /** Each once, in the order of the names. */
  readonly instances: RemoteInstance[];
  /** What names meant nothing, or more than one. */
  readonly problems: readonly CliError[];
}

/** Whether an instance has all of these tags. */
export function hasTags(
  { tags }: RemoteInstance,
  wanted: Readonly<Record<string, string | undefined>>,
): boolean {
  return Object.entries(wanted).every(
    ([name, value]) => Object.hasOwn(tags, name) && (value === undefined || tags[name] === value),
  );
}

/**
 * Finds the instances of a selection: those of the names, of all with `all`, and of these only those
 * with the tags. What a name does not find is a problem beside those that are found.
 *
 * @throws {CliError} usage for a selection of nothing, or of names and `all` at once
 */
export async function selectInstances(
  client: MasterClient,
  { names, all: wantsAll = false, tag }: InstanceSelection,
): Promise<SelectedInstances> {
  if (names.length === 0 && !wantsAll && tag === undefined) {
    throw new CliError("no instance given: name some, or give --all or --tag", {
      exitCode: exitCodes.usage,
    });
  }
  if (names.length > 0 && wantsAll) {
    throw new CliError("names and --all exclude each other", { exitCode: exitCodes.usage });
  }
  const all = await client.list();
  const found = new Set<RemoteInstance>(names.length === 0 ? all : []);
  const problems: CliError[] = [];
  for (const name of names) {
    try {
      found.add(findInstance(all, name));
    } catch (error) {
      const known = asCliError(error);
      if (known === undefined) throw error;
      problems.push(known);
    }
  }
  const instances = [...found].filter((each) => tag === undefined || hasTags(each, tag));
  if (instances.length === 0 && problems.length === 0 && tag !== undefined) {
    problems.push(new CliError("no instance with that tag", { exitCode: exitCodes.notFound }));
  }
  return { instances, problems };
}

/**
 * Does the same to each instance, one after the other; neither a failure nor a name that means
 * nothing keeps the rest from it.
 *
 * @throws {CliError} the first failure's exit code, when all has been tried and said
 */
export function forEachInstance(
  context: CliContext,
  { instances, problems }: SelectedInstances,
  work: (instance: RemoteInstance) => Promise<void>,
): Promise<void> {
  return tryEach(context, instances, work, problems);
}
