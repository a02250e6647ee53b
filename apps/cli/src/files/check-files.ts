import { checkUrl, redact } from "@nodepass/url-config";
import type { CliContext } from "../context.ts";
import { CliError } from "../exit-code.ts";
import { keygenHint } from "../output/command-name.ts";
import { printData, stdoutStyle } from "../output/print.ts";
import { loadFiles } from "./load-files.ts";

/** Runs `nodepass check` on a file or folder. @throws {CliError} with all that is wrong in it */
export async function checkFiles(
  context: CliContext,
  path: string,
  options: { readonly json?: boolean; readonly showKey?: boolean },
): Promise<void> {
  const { files, master, tunnels, services } = await loadFiles(context, [path], { fleet: true });
  const { serviceFaults, shownParts } = await import("./service-entries.ts");
  const [fault, ...faults] = services.flatMap(serviceFaults);
  if (fault !== undefined) throw new CliError(fault, { details: faults });
  const show = (url: string) => (options.showKey === true ? url : redact(url));
  const keygen = keygenHint(context.environment);
  const reports = tunnels.map(({ name, url, start, origin }) => {
    const { description, warnings } = checkUrl(url, context.environment, { keygen });
    return { name, url: show(url), start, ...origin, description, warnings };
  });
  if (options.json === true) {
    const described = services.map(({ origin, ...service }) => ({
      ...{ ...service, ...origin },
      parts: service.parts.map((part) => ({ ...part, url: show(part.url) })),
    }));
    const report = {
      ...{ ok: true, files, master: master?.url ?? null, tunnels: reports },
      ...(services.length > 0 && { services: described }),
    };
    await printData(context, report, {});
    return;
  }
  const { bold, yellow } = stdoutStyle(context);
  const lines = reports.flatMap(({ name, url, start, file, line, description, warnings }) => [
    `${bold(name)}${start ? "" : " (kept stopped)"}  ${url}  ${file}:${line}`,
    ...description.map((text) => `  ${text}`),
    ...warnings.map((text) => `  ${yellow("warning:")} ${text}`),
    "",
  ]);
  for (const service of services) {
    const { name, start, origin } = service;
    const where = `${origin.file}:${origin.line}`;
    lines.push(`${bold(name)}${start ? "" : " (kept stopped)"}  for a fleet  ${where}`);
    lines.push(...shownParts(service, show).map((text) => `  ${text}`), "");
  }
  const masterLine = master === undefined ? [] : [`${bold("master")}  ${master.url}`, ""];
  context.stdout.write([...masterLine, ...lines].map((text) => `${text}\n`).join(""));
  const counts = `${count(reports.length + services.length, "tunnel")} in ${count(files.length, "file")}`;
  context.stdout.write(`${counts}, nothing wrong\n`);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
