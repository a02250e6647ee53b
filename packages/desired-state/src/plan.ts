import { NAME_TAG, OWNER_TAG } from "@nodepass/model";
import { type Actual, type Desired, type Host, marksOf } from "./desired-state.ts";

/** One difference between what shall be and what is. */
export type Step<Wanted extends Desired = Desired, Thing extends Actual = Actual> =
  | { readonly kind: "create"; readonly name: string; readonly wanted: Wanted }
  | {
      readonly kind: "change";
      readonly name: string;
      readonly wanted: Wanted;
      readonly thing: Thing;
      /** What differs, in the order in which it is changed. */
      readonly changes: readonly string[];
    }
  | { readonly kind: "remove"; readonly name: string; readonly thing: Thing }
  | {
      /** Something that is not ours has the name: of another owner, or of none. */
      readonly kind: "conflict";
      readonly name: string;
      readonly thing: Thing;
    };

/** What a plan may touch. */
export interface PlanOptions {
  /** Whose things these are; several files can share a master or a fleet under names of their own. */
  readonly owner: string;
  /** Remove what this owner brought and is not desired. @default false */
  readonly prune?: boolean | undefined;
  /** Take over what has no owner and a desired name as alias. @default false */
  readonly adopt?: boolean | undefined;
}

/**
 * What has to be done so that a host has what is desired; nothing, if it has.
 *
 * @returns steps in the order of `desired`, removals first, so that their addresses are free
 */
export async function plan<Wanted extends Desired, Thing extends Actual>(
  desired: readonly Wanted[],
  host: Pick<Host<Wanted, Thing>, "list" | "differences">,
  options: PlanOptions,
): Promise<Step<Wanted, Thing>[]> {
  const { owner, prune = false, adopt = false } = options;
  const owned = new Map<string, Thing>();
  const strangers = new Map<string, Thing>();
  const steps: Step<Wanted, Thing>[] = [];
  const names = new Set(desired.map(({ name }) => name));
  for (const thing of await host.list()) {
    const owns = thing.tags[OWNER_TAG] === owner;
    const name = owns ? (thing.tags[NAME_TAG] ?? thing.alias) : thing.alias;
    // A name twice: one of them is left over from a change that was cut short.
    if (owns && names.has(name) && !owned.has(name)) owned.set(name, thing);
    else if (owns) {
      if (prune) steps.push({ kind: "remove", name, thing });
    } else if (!strangers.has(name)) strangers.set(name, thing);
  }
  for (const wanted of desired) {
    const { name } = wanted;
    const stranger = strangers.get(name);
    const free = stranger !== undefined && stranger.tags[OWNER_TAG] === undefined;
    const thing = owned.get(name) ?? (adopt && free ? stranger : undefined);
    if (thing !== undefined) {
      const changes = [...changesOf(wanted, thing, owner), ...host.differences(wanted, thing)];
      if (changes.length > 0) steps.push({ kind: "change", name, wanted, thing, changes });
    } else if (stranger !== undefined) {
      steps.push({ kind: "conflict", name, thing: stranger });
    } else {
      steps.push({ kind: "create", name, wanted });
    }
  }
  return steps;
}

function changesOf(wanted: Desired, { alias, tags }: Actual, owner: string): string[] {
  const marks = Object.entries(marksOf(wanted, owner));
  return [
    ...(marks.some(([name, value]) => tags[name] !== value) ? ["tags"] : []),
    ...(alias === wanted.name ? [] : ["alias"]),
  ];
}
