import type { SettingLine, UrlReport } from "@nodepass/url-config";
import type { Style } from "./colour.ts";
import { shellQuote } from "./shell-quote.ts";

/**
 * Writes a report for people.
 *
 * @param command what people type for `nodepass`
 */
export function formatCheck(report: UrlReport, style: Style, command = "nodepass"): string {
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [style.bold(title), ...lines.map((line) => `  ${line}`), ""];
  const { problems, url, otherEnd, keyHidden } = report;
  if (problems.length > 0) {
    const title = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    return section(style.red(title), problems).join("\n");
  }
  return [
    ...section("Meaning", report.description),
    ...section("Settings", formatSettings(report.settings, style)),
    ...section("In full", url === undefined ? [] : [url]),
    ...section(
      "The other end",
      otherEnd === undefined
        ? []
        : [
            `${command} ${shellQuote(otherEnd)}`,
            ...(keyHidden ? ["With the key in place of ***: the same check with --show-key."] : []),
          ],
    ),
    ...section(style.yellow("Warnings"), report.warnings),
  ].join("\n");
}

/** Writes a report as JSON. */
export function formatCheckJson(report: UrlReport): string {
  const { keyHidden: _keyHidden, ...told } = report;
  return `${JSON.stringify({ ok: report.problems.length === 0, ...told }, undefined, 2)}\n`;
}

function formatSettings(settings: readonly SettingLine[], style: Style): string[] {
  const shown = settings.map((line) => ({ ...line, text: line.value ?? "-" }));
  const nameWidth = Math.max(...shown.map(({ name }) => name.length));
  const valueWidth = Math.max(...shown.map(({ text }) => text.length));
  return shown.map(({ name, text, isDefault, meaning }) => {
    const value = text.padEnd(valueWidth);
    const origin = isDefault ? style.dim("default") : style.cyan("set    ");
    return `${name.padEnd(nameWidth)}  ${isDefault ? value : style.bold(value)}  ${origin}  ${style.dim(meaning)}`;
  });
}
