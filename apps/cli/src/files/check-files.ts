import { checkUrl, redact } from "@nodepass/url-config";
import type { CliContext } from "../context.ts";
import { keygenHint } from "../output/command-name.ts";
import { printData, stdoutStyle } from "../output/print.ts";
import { loadFiles } from "./load-files.ts";

/** Runs `nodepass check` on a file or folder. @throws {CliError} with all that is wrong in it */
export async function checkFiles(
  context: CliContext,
  path: string,
  options: { readonly json?: boolean; readonly showKey?: boolean },
): Promise<void> {
  const { files, master, tunnels } = await loadFiles(context, [path]);
  const show = (url: string) => (options.showKey === true ? url : redact(url));
  const keygen = keygenHint(context.environment);
  const reports = tunnels.map(({ name, url, start, origin }) => {
    const { description, warnings } = checkUrl(url, context.environment, { keygen });
    return { name, url: show(url), start, ...origin, description, warnings };
  });
  if (options.json === true) {
    const report = { ok: true, files, master: master?.url ?? null, tunnels: reports };
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
  const masterLine = master === undefined ? [] : [`${bold("master")}  ${master.url}`, ""];
  context.stdout.write([...masterLine, ...lines].map((text) => `${text}\n`).join(""));
  const counts = `${count(reports.length, "tunnel")} in ${count(files.length, "file")}`;
  context.stdout.write(`${counts}, nothing wrong\n`);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
