import {
  type ClientSettings,
  describeParameters,
  parseTunnelUrl,
  type ServerSettings,
  UrlConfigError,
  type UrlProblem,
} from "@nodepass/url-config";
import { ADDRESS_FORM, fieldOf, type TunnelEntry, type UrlEntry } from "./config-schema.ts";
import { besideSource, readSecret } from "./read-secret-file.ts";
import type { ConfigPath, SourceFile } from "./source-file.ts";
import { addressText, entryUrl, parametersOf, withParameters } from "./tunnel-url.ts";

/** A tunnel that shall be there. */
export interface ConfiguredTunnel {
  /** Unique in a configuration; stays when the rest changes. */
  readonly name: string;
  /** With the key, and with the file's defaults. */
  readonly url: string;
  readonly settings: ServerSettings | ClientSettings;
  readonly tags: Readonly<Record<string, string>>;
  /** Whether it shall run. */
  readonly start: boolean;
  /** Where it is described. */
  readonly origin: { readonly file: string; readonly line: number };
}

/** What a file says of its tunnels, checked by its schema. */
export interface TunnelsSection {
  readonly defaults?: Readonly<Record<string, unknown>> | undefined;
  readonly tunnels?: Readonly<Record<string, string | UrlEntry | TunnelEntry>> | undefined;
}

/** Parameters whose values are paths. */
const PATHS = ["crt", "key"];

/** The tunnels of a file; what is wrong with them goes into the source's problems. */
export function readTunnels(section: TunnelsSection, source: SourceFile): ConfiguredTunnel[] {
  const defaults = parametersOf(section.defaults ?? {});
  const tunnels: ConfiguredTunnel[] = [];
  for (const [name, given] of Object.entries(section.tunnels ?? {})) {
    const at: ConfigPath = ["tunnels", name];
    const entry = typeof given === "object" && "url" in given ? given.url : given;
    const url =
      typeof entry === "string" ? urlOf(entry, defaults) : urlOfEntry(entry, defaults, source, at);
    const settings = url === undefined ? undefined : readUrl(url, entry, defaults, source, at);
    if (url === undefined || settings === undefined) continue;
    const [line] = source.placeOf(at);
    const { tags = {}, start = true } = typeof given === "string" ? {} : given;
    tunnels.push({
      name,
      url,
      settings,
      tags: Object.fromEntries(Object.entries(tags).map(([key, value]) => [key, String(value)])),
      start,
      origin: { file: source.file, line },
    });
  }
  return tunnels;
}

/** The defaults that the scheme knows. */
function defaultsFor(scheme: string, defaults: ReadonlyMap<string, string>): Map<string, string> {
  const known = describeParameters().filter(({ schemes }) =>
    schemes.some((each) => each === scheme),
  );
  return new Map([...defaults].filter(([name]) => known.some((each) => each.name === name)));
}

function urlOf(url: string, defaults: ReadonlyMap<string, string>): string {
  return withParameters(url, defaultsFor(url.split("://")[0] ?? "", defaults));
}

function urlOfEntry(
  entry: TunnelEntry,
  defaults: ReadonlyMap<string, string>,
  source: SourceFile,
  at: ConfigPath,
): string | undefined {
  const scheme = "server" in entry ? "server" : "client";
  const tunnel = addressText("server" in entry ? entry.server : entry.client);
  const targets = addressText(entry.target);
  const refuse = (field: string, bad: string): void => {
    source.fail([...at, field], `address "${bad}" is not valid (allowed: ${ADDRESS_FORM})`);
  };
  if ("bad" in tunnel) refuse(scheme, tunnel.bad);
  if ("bad" in targets) refuse("target", targets.bad);
  const key = readSecret(entry, { key: "key", keyFile: "keyFile" }, source, at);
  if ("bad" in tunnel || "bad" in targets) return undefined;
  const given = new Map([...defaultsFor(scheme, defaults), ...parametersOf(entry)]);
  for (const name of PATHS) {
    const path = given.get(name);
    if (path !== undefined) given.set(name, besideSource(path, source));
  }
  return entryUrl(entry, { tunnel: tunnel.text, targets: targets.text }, key, given);
}

function readUrl(
  url: string,
  entry: string | TunnelEntry,
  defaults: ReadonlyMap<string, string>,
  source: SourceFile,
  at: ConfigPath,
): ServerSettings | ClientSettings | undefined {
  try {
    return parseTunnelUrl(url);
  } catch (error) {
    if (!(error instanceof UrlConfigError)) throw error;
    for (const problem of error.problems) {
      source.fail(placeOf(problem, entry, defaults, at), problem.message);
    }
    return undefined;
  }
}

/** Where in the file the part of the URL stands that is wrong. */
function placeOf(
  { parameter }: UrlProblem,
  entry: string | TunnelEntry,
  defaults: ReadonlyMap<string, string>,
  at: ConfigPath,
): ConfigPath {
  if (typeof entry === "string") {
    const inUrl = new RegExp(`[?&]${parameter}=`).test(entry);
    return !inUrl && defaults.has(parameter) ? ["defaults", fieldOf(parameter)] : at;
  }
  if (parameter === "tunnel address") return [...at, "server" in entry ? "server" : "client"];
  if (parameter === "target address") return [...at, "target"];
  if (parameter === "tunnel key") return [...at, entry.keyFile === undefined ? "key" : "keyFile"];
  const field = fieldOf(parameter);
  return !(field in entry) && defaults.has(parameter) ? ["defaults", field] : [...at, field];
}
