import {
  type ClientSettings,
  fillAuto,
  parseTunnelUrl,
  type ServerSettings,
  splitUrl,
  UrlConfigError,
  type UrlProblem,
} from "@nodepass/url-config";
import {
  ADDRESS_FORM,
  fieldOf,
  type PairEntry,
  type TunnelEntry,
  type UrlEntry,
} from "./config-schema.ts";
import { besideSource, readSecret } from "./read-secret-file.ts";
import {
  type ConfiguredService,
  fleetFieldOf,
  placedPart,
  readPair,
  readPolicy,
} from "./read-services.ts";
import type { ConfigPath, SourceFile } from "./source-file.ts";
import { addressText, defaultsFor, entryUrl, parametersOf, withParameters } from "./tunnel-url.ts";

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
  readonly tunnels?: Readonly<Record<string, Entry>> | undefined;
}

type Entry = string | UrlEntry | TunnelEntry | PairEntry;

/** What the entries of a file are. */
export interface ReadTunnels {
  readonly tunnels: readonly ConfiguredTunnel[];
  /** Those that say where in a fleet they run. */
  readonly services: readonly ConfiguredService[];
}

/** Parameters whose values are paths. */
const PATHS = ["crt", "key"];

/**
 * The tunnels of a file; what is wrong with them goes into the source's problems.
 *
 * @param fleet whether entries may say where in a fleet they run
 */
export function readTunnels(
  section: TunnelsSection,
  source: SourceFile,
  fleet: boolean,
): ReadTunnels {
  const defaults = parametersOf(section.defaults ?? {});
  const tunnels: ConfiguredTunnel[] = [];
  const services: ConfiguredService[] = [];
  for (const [name, given] of Object.entries(section.tunnels ?? {})) {
    const at: ConfigPath = ["tunnels", name];
    const [line] = source.placeOf(at);
    const { tags = {}, start = true } = typeof given === "string" ? {} : given;
    const common = {
      name,
      tags: Object.fromEntries(Object.entries(tags).map(([key, value]) => [key, String(value)])),
      start,
      origin: { file: source.file, line },
    };
    const field = typeof given === "string" ? undefined : fleetFieldOf(given);
    if (field !== undefined && !fleet) {
      source.fail([...at, field], "is for a fleet: its hub is told by nodepass apply");
    } else if (typeof given === "object" && "pair" in given) {
      const parts = readPair(given, defaults, source, at);
      const policy = readPolicy(given, source, at);
      if (parts !== undefined) services.push({ ...common, parts, policy });
    } else {
      const read = readOne(given, defaults, source, at, field !== undefined);
      if (read === undefined) continue;
      if (field === undefined || typeof given === "string") tunnels.push({ ...common, ...read });
      else {
        const part = placedPart(read.url, given, source, at);
        const policy = readPolicy(given, source, at);
        if (part !== undefined) services.push({ ...common, parts: [part], policy });
      }
    }
  }
  return { tunnels, services };
}

/** One end. @param placed `auto` for a port is the hub's matter */
function readOne(
  given: string | UrlEntry | TunnelEntry,
  defaults: ReadonlyMap<string, string>,
  source: SourceFile,
  at: ConfigPath,
  placed: boolean,
): Pick<ConfiguredTunnel, "url" | "settings"> | undefined {
  const entry = typeof given === "object" && "url" in given ? given.url : given;
  const url =
    typeof entry === "string" ? urlOf(entry, defaults) : urlOfEntry(entry, defaults, source, at);
  if (url === undefined) return undefined;
  const isOpen = placed && splitUrl(url).authority !== "auto";
  const settings = readUrl(isOpen ? fillAuto(url) : url, entry, defaults, source, at);
  return settings === undefined ? undefined : { url, settings };
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
