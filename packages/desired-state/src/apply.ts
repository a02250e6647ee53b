import { type DesiredTunnel, type InstanceHost, OWNER_TAG } from "./desired-state.ts";
import { type Change, type Step, tagsFor } from "./plan.ts";

/** What became of a step. */
export interface Outcome {
  readonly step: Step;
  /** `undefined` if it was done. */
  readonly error: Error | undefined;
}

/** Whose instances are changed, and who is told. */
export interface ApplyOptions {
  readonly owner: string;
  /** Called after each step. */
  onOutcome?(outcome: Outcome): void;
  /** No further step is begun when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Does the steps of a plan one after the other; one that fails does not keep the others from being
 * done. Doing it again is safe: what was done is no step of the next plan.
 *
 * @returns an outcome for each step that was begun
 */
export async function apply(
  steps: readonly Step[],
  host: InstanceHost,
  options: ApplyOptions,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const step of steps) {
    if (options.signal?.aborted === true) break;
    let failure: Error | undefined;
    try {
      await applyStep(step, host, options.owner);
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
    }
    const outcome = { step, error: failure };
    outcomes.push(outcome);
    options.onOutcome?.(outcome);
  }
  return outcomes;
}

async function applyStep(step: Step, host: InstanceHost, owner: string): Promise<void> {
  switch (step.kind) {
    case "create": {
      const { tunnel } = step;
      const { id, tags } = await host.create(tunnel.url, tunnel.name);
      // Marked first: if the rest fails, the next try knows it.
      await host.change(id, { meta: { tags: tagsFor(tunnel, owner, tags) } });
      // NodePass 1.14 takes no alias when it creates.
      await host.change(id, { alias: tunnel.name });
      if (!tunnel.start) {
        await host.change(id, { restart: false });
        await host.change(id, { action: "stop" });
      }
      return;
    }
    case "change": {
      const { instance, tunnel } = step;
      for (const change of step.changes) {
        await applyChange(change, instance.id, instance.tags, tunnel, host, owner);
      }
      // Another URL starts an instance, also one that shall not run.
      if (step.changes.includes("url") && !tunnel.start) {
        await host.change(instance.id, { action: "stop" });
      }
      return;
    }
    case "remove":
      return host.remove(step.instance.id);
    case "conflict": {
      const { id, tags } = step.instance;
      const brought = tags[OWNER_TAG];
      const whose = brought === undefined ? "that no file brought" : `of the owner ${brought}`;
      throw new Error(`an instance ${whose} has the alias ${step.name} already: ${id}`);
    }
  }
}

/** One field at a time: dashboards' masters take no more (`PATCH` of 1.14). */
async function applyChange(
  change: Change,
  id: string,
  present: Readonly<Record<string, string>>,
  tunnel: DesiredTunnel,
  host: InstanceHost,
  owner: string,
): Promise<void> {
  switch (change) {
    case "tags":
      await host.change(id, { meta: { tags: tagsFor(tunnel, owner, present) } });
      return;
    case "alias":
      await host.change(id, { alias: tunnel.name });
      return;
    case "restart":
      await host.change(id, { restart: tunnel.start });
      return;
    case "url":
      await host.replaceUrl(id, tunnel.url);
      return;
    case "stop":
    case "start":
      await host.change(id, { action: change });
      return;
  }
}
