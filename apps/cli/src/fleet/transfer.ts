import { readFileSync, writeFileSync } from "node:fs";
import type { FleetClient } from "@nodepass/master-client/fleet";
import type { CliContext } from "../context.ts";
import { CliError } from "../exit-code.ts";
import { commandName } from "../output/command-name.ts";
import { printData } from "../output/print.ts";
import { plainJson } from "../output/terminal-text.ts";
import { openFleet } from "../remote/open-master.ts";
import type { RemoteOptions } from "../remote/remote-options.ts";

/** Options of `fleet export`. */
export interface FleetExportOptions extends RemoteOptions {
  readonly to?: string | undefined;
  readonly nodepassdash?: boolean | undefined;
}

/** Runs `nodepass fleet export`. */
export async function exportFleet(context: CliContext, options: FleetExportOptions): Promise<void> {
  const { fleet } = await openFleet(context, options);
  const format = options.nodepassdash === true ? "nodepassdash" : "services";
  const text = await fleet.exportServices(format);
  if (format === "nodepassdash") await warnOfToken(context, fleet);
  const { to } = options;
  if (to === undefined) {
    context.stdout.write(plainJson(text.endsWith("\n") ? text : `${text}\n`));
    return;
  }
  try {
    // It holds the tunnels' keys.
    writeFileSync(to, text, { mode: 0o600, flag: "wx" });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") {
      throw new CliError(`${to} is there already: nothing is overwritten, name a new file`);
    }
    throw new CliError(`can't write ${to}: ${error instanceof Error ? error.message : error}`);
  }
  context.stdout.write(`wrote ${to}\n`);
}

/** Whoever gets hold of the file, or of the dashboard that takes it, has the caller's token. */
async function warnOfToken({ stderr, environment }: CliContext, fleet: FleetClient) {
  const { role } = await fleet.info();
  const command = commandName(environment);
  stderr.write(`each endpoint in it has the token that asked, with the role ${role}: who has the file may do all that it may
Better is one of its own: ${command} fleet token create --role operator --note NodePassDash
and with it: ${command} fleet export --nodepassdash --key TOKEN
`);
}

/** Runs `nodepass fleet import`. */
export async function importFleet(
  context: CliContext,
  file: string,
  options: RemoteOptions,
): Promise<void> {
  const exported = await readExport(context, file);
  const { fleet } = await openFleet(context, options);
  await bringIn(context, fleet, exported, options);
}

/** Runs `nodepass fleet restore`: an import into a fleet that has nothing. */
export async function restoreFleet(
  context: CliContext,
  file: string,
  options: RemoteOptions,
): Promise<void> {
  const exported = await readExport(context, file);
  const { fleet } = await openFleet(context, options);
  const { services } = await fleet.info();
  if (services > 0) {
    throw new CliError(`the fleet has ${services} services: nothing was restored`, {
      details: [(command) => `What it has not, and what differs: ${command} fleet import`],
    });
  }
  await bringIn(context, fleet, exported, options);
}

async function bringIn(
  context: CliContext,
  fleet: FleetClient,
  exported: string,
  options: RemoteOptions,
): Promise<void> {
  const result = await fleet.importServices(exported);
  if (options.json === true) {
    await printData(context, result, options);
    return;
  }
  const { created, changed, kept, masters } = result;
  context.stdout.write(`${created} created, ${changed} changed, ${kept} as they were\n`);
  // Hubs of before have not counted them.
  if ((masters ?? 0) > 0) context.stdout.write(`${counted(masters ?? 0)} back\n`);
}

const counted = (masters: number) => (masters === 1 ? "1 master is" : `${masters} masters are`);

/** The text of an export. */
async function readExport({ stdin }: CliContext, file: string): Promise<string> {
  if (file === "-") {
    let text = "";
    stdin.setEncoding("utf8");
    for await (const chunk of stdin) text += chunk;
    return text;
  }
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new CliError(`can't read ${file}: ${error instanceof Error ? error.message : error}`);
  }
}
