import {
  type Actual,
  apply,
  type Desired,
  type Host,
  type Outcome,
  OWNER_TAG,
  plan,
  type Step,
} from "@nodepass/desired-state";
import { shellQuote } from "../output/shell-quote.ts";
import { plainText } from "../output/terminal-text.ts";

/** What files and the master or the fleet that they are for differ in. */
export interface Planned {
  readonly steps: readonly Step[];
  /** A step in a line for people, keys hidden. */
  describe(step: Step): string;
  /** Does the steps. */
  apply(onOutcome: (outcome: Outcome) => void): Promise<readonly Outcome[]>;
}

/** Whose things are planned, and which of them. */
export interface PlanFilesOptions {
  readonly owner: string;
  readonly prune: boolean | undefined;
  readonly adopt: boolean | undefined;
}

/**
 * Plans what is desired at a host.
 *
 * @param show what is made, keys hidden
 */
export async function planAt<Wanted extends Desired, Thing extends Actual>(
  host: Host<Wanted, Thing>,
  desired: readonly Wanted[],
  options: PlanFilesOptions,
  show: (wanted: Wanted) => string,
): Promise<Planned> {
  const { owner } = options;
  const steps = await plan(desired, host, options);
  const lines = new Map<Step, string>(steps.map((step) => [step, describe(step, host, show)]));
  return {
    steps,
    describe: (step) => lines.get(step) ?? step.name,
    apply: (onOutcome) => apply(steps, host, { owner, onOutcome }),
  };
}

function describe<Wanted extends Desired, Thing extends Actual>(
  step: Step<Wanted, Thing>,
  { what }: Pick<Host<Wanted, Thing>, "what">,
  show: (wanted: Wanted) => string,
): string {
  const name = plainText(step.name);
  if (step.kind === "create") return `create ${name}  ${show(step.wanted)}`;
  const which = `${step.kind} ${name} (${plainText(step.thing.id)})`;
  if (step.kind === "change") return `${which}: ${step.changes.join(", ")}`;
  if (step.kind === "remove") return which;
  return `${which}: ${describeConflict(what, step.thing.tags[OWNER_TAG])}`;
}

/** Whose the thing is that has a name already, and what can be done. */
function describeConflict(what: string, brought: string | undefined): string {
  if (brought === undefined)
    return `${what} that no file brought has this alias; --adopt takes it over`;
  if (brought === OF_FLEET)
    return `${what} of a service of the fleet has this alias; apply to its hub changes it`;
  const owner = plainText(brought);
  return `${what} that the files of the owner ${owner} brought has this alias; --owner ${shellQuote(owner)} takes these files for theirs`;
}

/** In place of the owner of what a master runs for its fleet: no file for the master itself owns it. */
export const OF_FLEET = "(the fleet)";
