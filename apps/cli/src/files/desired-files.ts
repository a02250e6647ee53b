import { basename, extname, resolve } from "node:path";
import { apply, OWNER_TAG, plan, type Step } from "@nodepass/desired-state";
import type { MasterClient } from "@nodepass/master-client";
import { redact } from "@nodepass/url-config";
import type { CliContext } from "../context.ts";
import { CliError, exitCodes } from "../exit-code.ts";
import { printData, stdoutStyle } from "../output/print.ts";
import { shellQuote } from "../output/shell-quote.ts";
import { plainText } from "../output/terminal-text.ts";
import { openMaster } from "../remote/open-master.ts";
import type { RemoteOptions } from "../remote/remote-options.ts";
import { loadFiles } from "./load-files.ts";

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
  const { steps } = await planFiles(context, options);
  if (options.json === true) await printData(context, steps.map(toJson), options);
  else for (const step of steps) context.stdout.write(`${describe(step)}\n`);
  if (steps.length > 0) throw new CliError("", { exitCode: exitCodes.differs });
  if (options.json !== true) context.stdout.write("nothing differs\n");
}

/** Runs `nodepass apply`. @throws {CliError} if a step failed; the others were done */
export async function applyFiles(context: CliContext, options: DesiredOptions): Promise<void> {
  const { steps, client, owner } = await planFiles(context, options);
  const { red, green } = stdoutStyle(context);
  const outcomes = await apply(steps, client, {
    owner,
    onOutcome: ({ step, error }) => {
      if (options.json === true) return;
      const end =
        error === undefined ? green("done") : `${red("failed")}: ${plainText(error.message)}`;
      context.stdout.write(`${describe(step)}: ${end}\n`);
    },
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

async function planFiles(
  context: CliContext,
  options: DesiredOptions,
): Promise<{ readonly steps: Step[]; readonly client: MasterClient; readonly owner: string }> {
  const { tunnels } = await loadFiles(context, options.file);
  const owner = options.owner ?? ownerOf(options.file[0] ?? "");
  const { client } = await openMaster(context, options);
  const { prune, adopt } = options;
  return { steps: plan(tunnels, await client.list(), { owner, prune, adopt }), client, owner };
}

/** The name of a file without its ending: a stable one, wherever the file lies. */
function ownerOf(path: string): string {
  const name = basename(resolve(path));
  return name.slice(0, name.length - extname(name).length) || "nodepass";
}

function describe(step: Step): string {
  const name = plainText(step.name);
  switch (step.kind) {
    case "create":
      return `create ${name}  ${redact(step.tunnel.url)}`;
    case "change":
      return `change ${name} (${step.instance.id}): ${step.changes.join(", ")}`;
    case "remove":
      return `remove ${name} (${step.instance.id})`;
    case "conflict":
      return `conflict ${name} (${step.instance.id}): ${describeConflict(step.instance.tags[OWNER_TAG])}`;
  }
}

/** Whose the instance is that has a name already, and what can be done. */
function describeConflict(brought: string | undefined): string {
  if (brought === undefined)
    return "an instance that no file brought has this alias; --adopt takes it over";
  const owner = plainText(brought);
  return `an instance that the files of the owner ${owner} brought has this alias; --owner ${shellQuote(owner)} takes these files for theirs`;
}

function toJson(step: Step): object {
  const { kind, name } = step;
  const id = step.kind === "create" ? null : step.instance.id;
  return { kind, name, id, ...(step.kind === "change" && { changes: step.changes }) };
}
