import { basename, extname, resolve } from "node:path";
import type { Step } from "@nodepass/desired-state";
import type { CliContext } from "../context.ts";
import { CliError, exitCodes } from "../exit-code.ts";
import { printData, stdoutStyle } from "../output/print.ts";
import { shellQuote } from "../output/shell-quote.ts";
import { plainText } from "../output/terminal-text.ts";
import { openTarget } from "../remote/open-master.ts";
import type { RemoteOptions } from "../remote/remote-options.ts";
import { loadFiles } from "./load-files.ts";
import type { PlanFilesOptions, Planned } from "./plan-at.ts";

/** Options of `apply` and `diff`. */
export interface DesiredOptions extends RemoteOptions {
  readonly file: readonly string[];
  readonly owner?: string | undefined;
  readonly prune?: boolean | undefined;
  readonly adopt?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
}

/** Runs `nodepass diff`, and `apply --dry-run`. @throws {CliError} code 6 if something differs */
export async function diffFiles(context: CliContext, options: DesiredOptions): Promise<void> {
  const { steps, describe } = await planFiles(context, options);
  if (options.json === true) await printData(context, steps.map(toJson), options);
  else for (const step of steps) context.stdout.write(`${describe(step)}\n`);
  if (steps.length > 0) throw new CliError("", { exitCode: exitCodes.differs });
  if (options.json !== true) context.stdout.write("nothing differs\n");
}

/** Runs `nodepass apply`. @throws {CliError} if a step failed; the others were done */
export async function applyFiles(context: CliContext, options: DesiredOptions): Promise<void> {
  const { steps, describe, apply } = await planFiles(context, options);
  const { red, green } = stdoutStyle(context);
  const outcomes = await apply(({ step, error }) => {
    if (options.json === true) return;
    const end =
      error === undefined ? green("done") : `${red("failed")}: ${plainText(error.message)}`;
    context.stdout.write(`${describe(step)}: ${end}\n`);
  });
  if (options.json === true) {
    await printData(
      context,
      outcomes.map(({ step, error }) => ({ ...toJson(step), error: error?.message ?? null })),
      options,
    );
  } else if (steps.length === 0) {
    context.stdout.write("nothing to do\n");
  }
  if (outcomes.some(({ error }) => error !== undefined)) throw new CliError("");
}

async function planFiles(context: CliContext, options: DesiredOptions): Promise<Planned> {
  const config = await loadFiles(context, options.file, { fleet: true });
  const target = await openTarget(context, options);
  const [first = ""] = options.file;
  const { owner = ownerOf(first), prune, adopt } = options;
  if ("fleet" in target && prune === true && options.owner === undefined) {
    throw new CliError(
      `--prune at a fleet needs --owner: several people share it, and what another file named ${JSON.stringify(basename(resolve(first)))} brought would be removed (what this one has brought so far has the owner ${shellQuote(owner)})`,
      { exitCode: exitCodes.usage },
    );
  }
  const planning: PlanFilesOptions = { owner, prune, adopt };
  if ("fleet" in target) {
    const { planFleet } = await import("./plan-fleet.ts");
    return planFleet(context, config, target.fleet, planning);
  }
  const { planMaster } = await import("./plan-master.ts");
  return planMaster(config, target, planning);
}

/** The name of a file without its ending: a stable one, wherever the file lies. */
function ownerOf(path: string): string {
  const name = basename(resolve(path));
  return name.slice(0, name.length - extname(name).length) || "nodepass";
}

function toJson(step: Step): object {
  const { kind, name } = step;
  const id = step.kind === "create" ? null : step.thing.id;
  return { kind, name, id, ...(step.kind === "change" && { changes: step.changes }) };
}
