import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname } from "node:path";
import type { CliContext } from "../context.ts";
import { CliError, exitCodes } from "../exit-code.ts";
import { hideKeys } from "../output/hide-keys.ts";
import { shellQuote } from "../output/shell-quote.ts";
import { type Machine, planService } from "./service-plan.ts";

/** Options of `nodepass service`. */
export interface ServiceOptions {
  readonly name: string;
  readonly user?: boolean | undefined;
  readonly system?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
}

/** Runs `nodepass service install`. @throws {CliError} if a file can't be written or a command fails */
export async function installService(
  context: CliContext,
  what: string,
  options: ServiceOptions,
): Promise<void> {
  const plan = planService(options.name, what, machineOf(context, options));
  if (options.dryRun === true) {
    for (const { path, text } of plan.files) context.stdout.write(`# ${path}\n${hideKeys(text)}\n`);
    printCommands(context, plan.start);
    return;
  }
  for (const { path, text, mode } of plan.files) {
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
      // Made anew: an old file keeps its mode when it is written to.
      rmSync(path, { force: true });
      writeFileSync(path, text, { mode, flag: "wx" });
    } catch (error) {
      throw new CliError(`can't write ${path}: ${error instanceof Error ? error.message : error}`);
    }
    context.stdout.write(`wrote ${path}\n`);
  }
  runAll(context, plan.start);
}

/** Runs `nodepass service uninstall`. */
export async function uninstallService(
  context: CliContext,
  options: ServiceOptions,
): Promise<void> {
  const plan = planService(options.name, undefined, machineOf(context, options));
  const { paths } = plan;
  if (options.dryRun === true) {
    printCommands(context, [...plan.stop, ...paths.map((path) => ["rm", "-f", path])]);
    return;
  }
  if (!paths.some((path) => existsSync(path))) {
    throw new CliError(`there is no service nodepass-${options.name}`, {
      exitCode: exitCodes.notFound,
    });
  }
  runAll(context, plan.stop);
  for (const path of paths) rmSync(path, { force: true });
  context.stdout.write(`removed ${paths.at(-1)}\n`);
}

/** Runs `nodepass service status`. @throws {CliError} with the exit code of the system's command */
export async function serviceStatus(context: CliContext, options: ServiceOptions): Promise<void> {
  const { status } = planService(options.name, undefined, machineOf(context, options));
  if (options.dryRun === true) {
    printCommands(context, [status]);
    return;
  }
  const [command = "", ...argv] = status;
  const result = spawnSync(command, argv, { encoding: "utf8" });
  context.stdout.write(result.stdout ?? "");
  context.stderr.write(result.stderr ?? "");
  if (result.error !== undefined)
    throw new CliError(`can't run ${command}: ${result.error.message}`);
  if (result.status !== 0) throw new CliError("", { exitCode: exitCodes.failure });
}

function machineOf({ program }: CliContext, { user, system }: ServiceOptions): Machine {
  const isRoot = process.getuid?.() === 0;
  return {
    platform: process.platform,
    home: homedir(),
    system: system === true || (user !== true && isRoot),
    node: process.execPath,
    program: program ?? "",
  };
}

function runAll(context: CliContext, commands: readonly (readonly string[])[]): void {
  for (const [command = "", ...argv] of commands) {
    const { status, error, stderr } = spawnSync(command, argv, { encoding: "utf8" });
    if (error === undefined && status === 0) continue;
    const why = error?.message ?? stderr.trim();
    throw new CliError(`${[command, ...argv].join(" ")} failed${why === "" ? "" : `: ${why}`}`);
  }
  printCommands(context, commands);
}

function printCommands({ stdout }: CliContext, commands: readonly (readonly string[])[]): void {
  for (const words of commands) {
    stdout.write(
      `${words.map((word) => (/^[\w./:@=-]+$/.test(word) ? word : shellQuote(word))).join(" ")}\n`,
    );
  }
}
