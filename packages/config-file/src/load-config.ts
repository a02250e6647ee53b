import { readFileSync } from "node:fs";
import { type MasterSettings, parseMasterUrl, UrlConfigError } from "@nodepass/url-config";
import { type CheckedConfig, checkShape } from "./check-shape.ts";
import { ConfigFileError, type ConfigProblem } from "./config-file-error.ts";
import { findFiles } from "./find-files.ts";
import { interpolate } from "./interpolate.ts";
import { readSecret } from "./read-secret-file.ts";
import type { ConfiguredService } from "./read-services.ts";
import { type ConfiguredTunnel, readTunnels } from "./read-tunnels.ts";
import { SourceFile } from "./source-file.ts";

/** Largest file, bytes: ten thousand tunnels are under 2 MB. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** A master that shall run. */
export interface ConfiguredMaster {
  readonly url: string;
  readonly settings: MasterSettings;
  readonly apiKey: string | undefined;
  /** API key that may only read. */
  readonly readKey: string | undefined;
}

/** What one or several files say together. */
export interface LoadedConfig {
  /** The files that were read, in order. */
  readonly files: readonly string[];
  /** The files with keys that they name, absolute. */
  readonly keyFiles: readonly string[];
  readonly master: ConfiguredMaster | undefined;
  /** In order of the files. */
  readonly tunnels: readonly ConfiguredTunnel[];
  /** Tunnels that say where in a fleet they run, in order of the files. */
  readonly services: readonly ConfiguredService[];
}

/** What files may refer to. */
export interface LoadConfigOptions {
  /** Values for `${NAME}`. @default {} */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Whether tunnels may say where in a fleet they run; else that is a fault. @default false */
  readonly fleet?: boolean | undefined;
}

/**
 * Reads the files that say what shall run.
 *
 * @param paths files, or folders whose `.yaml`, `.yml` and `.json` files are read
 * @throws {ConfigFileError} `CONFIG_UNREADABLE` if a path can't be read, else `CONFIG_INVALID`; with
 *   all that is wrong in all files
 * @example
 * const { tunnels } = loadConfig(["nodepass.yaml"], { environment: process.env });
 */
export function loadConfig(
  paths: readonly string[],
  options: LoadConfigOptions = {},
): LoadedConfig {
  const unreadable: ConfigProblem[] = [];
  const sources: SourceFile[] = [];
  for (const path of paths) {
    const found = findFiles(path);
    if ("problem" in found) unreadable.push(found.problem);
    else for (const file of found.files) openSource(file, sources, unreadable);
  }
  if (unreadable.length > 0) throw new ConfigFileError("CONFIG_UNREADABLE", unreadable);

  const masters: Array<{ readonly master: ConfiguredMaster; readonly file: string }> = [];
  const names = new Map<string, ConfiguredTunnel | ConfiguredService>();
  const tunnels: ConfiguredTunnel[] = [];
  const services: ConfiguredService[] = [];
  for (const source of sources) {
    const config = readSource(source, options.environment ?? {});
    if (config === undefined) continue;
    const read = readTunnels(config, source, options.fleet === true);
    for (const each of [...read.tunnels, ...read.services]) {
      const other = names.get(each.name)?.origin;
      if (other === undefined) names.set(each.name, each);
      else source.fail(["tunnels", each.name], `is in ${other.file}:${other.line} already`);
    }
    tunnels.push(...read.tunnels);
    services.push(...read.services);
    const master = readMaster(config, source);
    if (master === undefined) continue;
    if (masters[0] !== undefined) source.fail(["master"], `is in ${masters[0].file} already`);
    masters.push({ master, file: source.file });
  }
  const problems = sources.flatMap((source) => source.problems.toSorted(byPlace));
  if (problems.length > 0) throw new ConfigFileError("CONFIG_INVALID", withoutRepeats(problems));
  return {
    files: sources.map(({ file }) => file),
    keyFiles: sources.flatMap(({ dependencies }) => dependencies),
    master: masters[0]?.master,
    tunnels,
    services,
  };
}

function openSource(file: string, sources: SourceFile[], unreadable: ConfigProblem[]): void {
  const fail = (message: string): void => {
    unreadable.push({ file, line: undefined, column: undefined, path: "", message });
  };
  try {
    const bytes = readFileSync(file);
    if (bytes.length > MAX_FILE_BYTES) fail(`is longer than ${MAX_FILE_BYTES} bytes`);
    else sources.push(new SourceFile(file, bytes.toString("utf8")));
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
  }
}

function readSource(
  source: SourceFile,
  environment: Readonly<Record<string, string | undefined>>,
): CheckedConfig | undefined {
  if (source.problems.length > 0) return undefined;
  // An empty file, or one of comments only, describes nothing.
  if (source.value === undefined || source.value === null) return {};
  const filled = interpolate(source.value, source, environment);
  return source.problems.length > 0 ? undefined : checkShape(filled, source);
}

function readMaster(config: CheckedConfig, source: SourceFile): ConfiguredMaster | undefined {
  const { master } = config;
  if (master === undefined) return undefined;
  const { key, keyFile, readKey, readKeyFile } = master;
  const apiKey = readSecret({ key, keyFile }, { key: "key", keyFile: "keyFile" }, source, [
    "master",
  ]);
  const reading = readSecret(
    { key: readKey, keyFile: readKeyFile },
    { key: "readKey", keyFile: "readKeyFile" },
    source,
    ["master"],
  );
  try {
    return { url: master.url, settings: parseMasterUrl(master.url), apiKey, readKey: reading };
  } catch (error) {
    if (!(error instanceof UrlConfigError)) throw error;
    for (const { message } of error.problems) source.fail(["master", "url"], message);
    return undefined;
  }
}

function byPlace(one: ConfigProblem, other: ConfigProblem): number {
  const lines = (one.line ?? 0) - (other.line ?? 0);
  return lines === 0 ? (one.column ?? 0) - (other.column ?? 0) : lines;
}

/** A wrong default is wrong for each tunnel that takes it, and said once. */
function withoutRepeats(problems: readonly ConfigProblem[]): ConfigProblem[] {
  const seen = new Set<string>();
  return problems.filter(({ file, line, column, path, message }) => {
    const text = JSON.stringify([file, line, column, path, message]);
    return !seen.has(text) && seen.add(text);
  });
}
