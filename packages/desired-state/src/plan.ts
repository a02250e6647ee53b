import { type ActualInstance, type DesiredTunnel, NAME_TAG, OWNER_TAG } from "./desired-state.ts";
import { isSameUrl } from "./same-url.ts";

/** One difference between what shall be and what is. */
export type Step =
  | { readonly kind: "create"; readonly name: string; readonly tunnel: DesiredTunnel }
  | {
      readonly kind: "change";
      readonly name: string;
      readonly tunnel: DesiredTunnel;
      readonly instance: ActualInstance;
      /** What differs, in the order in which it is changed. */
      readonly changes: readonly Change[];
    }
  | { readonly kind: "remove"; readonly name: string; readonly instance: ActualInstance }
  | {
      /** Something that is not ours has the name: of another owner, or of none. */
      readonly kind: "conflict";
      readonly name: string;
      readonly instance: ActualInstance;
    };

/** What can differ between a tunnel and its instance. */
export type Change = "tags" | "alias" | "restart" | "stop" | "url" | "start";

/** Which instances a plan may touch. */
export interface PlanOptions {
  /** Whose instances these are; several files can share a master under names of their own. */
  readonly owner: string;
  /** Remove instances of this owner that are not desired. @default false */
  readonly prune?: boolean | undefined;
  /** Take over instances without an owner that have a desired name as alias. @default false */
  readonly adopt?: boolean | undefined;
}

/**
 * What has to be done so that a master has what is desired; nothing, if it has.
 *
 * @returns steps in the order of `desired`, removals first, so that their addresses are free
 */
export function plan(
  desired: readonly DesiredTunnel[],
  actual: readonly ActualInstance[],
  options: PlanOptions,
): Step[] {
  const { owner, prune = false, adopt = false } = options;
  const owned = new Map<string, ActualInstance>();
  const strangers = new Map<string, ActualInstance>();
  const steps: Step[] = [];
  const wanted = new Set(desired.map(({ name }) => name));
  for (const instance of actual) {
    const owns = instance.tags[OWNER_TAG] === owner;
    const name = owns ? (instance.tags[NAME_TAG] ?? instance.alias) : instance.alias;
    // A name twice: one of them is left over from a change that was cut short.
    if (owns && wanted.has(name) && !owned.has(name)) owned.set(name, instance);
    else if (owns) {
      if (prune) steps.push({ kind: "remove", name, instance });
    } else if (!strangers.has(name)) strangers.set(name, instance);
  }
  for (const tunnel of desired) {
    const { name } = tunnel;
    const stranger = strangers.get(name);
    const free = stranger !== undefined && stranger.tags[OWNER_TAG] === undefined;
    const instance = owned.get(name) ?? (adopt && free ? stranger : undefined);
    if (instance !== undefined) {
      const changes = changesOf(tunnel, instance, owner);
      if (changes.length > 0) steps.push({ kind: "change", name, tunnel, instance, changes });
    } else if (stranger !== undefined) {
      steps.push({ kind: "conflict", name, instance: stranger });
    } else {
      steps.push({ kind: "create", name, tunnel });
    }
  }
  return steps;
}

/** The tags that an instance shall have: others than the tunnel's are somebody else's, and stay. */
export function tagsFor(
  tunnel: DesiredTunnel,
  owner: string,
  present: Readonly<Record<string, string>>,
): Record<string, string> {
  return { ...present, ...tunnel.tags, [OWNER_TAG]: owner, [NAME_TAG]: tunnel.name };
}

function changesOf(tunnel: DesiredTunnel, instance: ActualInstance, owner: string): Change[] {
  const changes: Change[] = [];
  const runs = instance.status !== "stopped";
  const tags = Object.entries(tagsFor(tunnel, owner, {}));
  if (tags.some(([name, value]) => instance.tags[name] !== value)) changes.push("tags");
  if (instance.alias !== tunnel.name) changes.push("alias");
  if (instance.restart !== tunnel.start) changes.push("restart");
  if (runs && !tunnel.start) changes.push("stop");
  if (!isSameUrl(tunnel.url, instance.url)) changes.push("url");
  if (!runs && tunnel.start) changes.push("start");
  return changes;
}
