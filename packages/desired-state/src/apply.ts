import { OWNER_TAG } from "@nodepass/model";
import { type Actual, type Desired, type Host, marksOf } from "./desired-state.ts";
import type { Step } from "./plan.ts";

/** What became of a step. */
export interface Outcome<Wanted extends Desired = Desired, Thing extends Actual = Actual> {
  readonly step: Step<Wanted, Thing>;
  /** `undefined` if it was done. */
  readonly error: Error | undefined;
}

/** Whose things are changed, and who is told. */
export interface ApplyOptions<Wanted extends Desired = Desired, Thing extends Actual = Actual> {
  readonly owner: string;
  /** Called after each step. */
  onOutcome?(outcome: Outcome<Wanted, Thing>): void;
  /** No further step is begun when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Does the steps of a plan one after the other; one that fails does not keep the others from being
 * done. Doing it again is safe: what was done is no step of the next plan.
 *
 * @returns an outcome for each step that was begun
 */
export async function apply<Wanted extends Desired, Thing extends Actual>(
  steps: readonly Step<Wanted, Thing>[],
  host: Host<Wanted, Thing>,
  options: ApplyOptions<Wanted, Thing>,
): Promise<Outcome<Wanted, Thing>[]> {
  const outcomes: Outcome<Wanted, Thing>[] = [];
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

async function applyStep<Wanted extends Desired, Thing extends Actual>(
  step: Step<Wanted, Thing>,
  host: Host<Wanted, Thing>,
  owner: string,
): Promise<void> {
  switch (step.kind) {
    case "create":
      return host.create(step.wanted, marksOf(step.wanted, owner));
    case "change":
      return host.change(step.wanted, step.thing, step.changes, marksOf(step.wanted, owner));
    case "remove":
      return host.remove(step.thing);
    case "conflict": {
      const { id, tags } = step.thing;
      const brought = tags[OWNER_TAG];
      const whose = brought === undefined ? "that no file brought" : `of the owner ${brought}`;
      throw new Error(`${host.what} ${whose} has the alias ${step.name} already: ${id}`);
    }
  }
}
