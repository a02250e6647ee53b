import { describeParameters } from "@nodepass/url-config";
import { fieldOf, type ParameterValue, type TunnelEntry } from "./config-schema.ts";

/** The URL's `/`, `?`, `,` and `@` have meanings of their own; colons and brackets are in addresses. */
const NOT_IN_ADDRESS = /[/?#,@\s]/;

/** An address or several as a URL has them; the first that can't stand in one is named. */
export function addressText(
  address: string | number | readonly (string | number)[],
): { readonly text: string } | { readonly bad: string } {
  const texts = (Array.isArray(address) ? address : [address]).map(withColon);
  const bad = texts.find((text) => NOT_IN_ADDRESS.test(text));
  return bad === undefined ? { text: texts.join(",") } : { bad };
}

/** YAML reads `8080` as a number: a port. */
function withColon(address: string | number): string {
  return typeof address === "number" ? `:${address}` : address;
}

/** A value as a URL's query has it. */
function queryText(value: ParameterValue): string {
  if (typeof value === "boolean") return value ? "1" : "0";
  return String(value);
}

/** The parameters that an entry gives, by their names in a URL. */
export function parametersOf(entry: Readonly<Record<string, unknown>>): Map<string, string> {
  const given = new Map<string, string>();
  for (const { name } of describeParameters()) {
    const value = entry[fieldOf(name)];
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
      given.set(name, queryText(value));
    }
  }
  return given;
}

/** The defaults that the scheme knows. */
export function defaultsFor(
  scheme: string,
  defaults: ReadonlyMap<string, string>,
): Map<string, string> {
  const known = describeParameters().filter(({ schemes }) =>
    schemes.some((each) => each === scheme),
  );
  return new Map([...defaults].filter(([name]) => known.some((each) => each.name === name)));
}

/** The URL of an entry. */
export function entryUrl(
  entry: TunnelEntry,
  addresses: { readonly tunnel: string; readonly targets: string },
  key: string | undefined,
  parameters: ReadonlyMap<string, string>,
): string {
  const scheme = "server" in entry ? "server" : "client";
  const user = key === undefined ? "" : `${encodeURIComponent(key)}@`;
  const url = `${scheme}://${user}${addresses.tunnel}/${addresses.targets}`;
  return withParameters(url, parameters);
}

/** The URL with parameters that it does not give itself. */
export function withParameters(url: string, parameters: ReadonlyMap<string, string>): string {
  const [front = "", query] = url.split(/\?(.*)/s);
  const pairs = (query ?? "").split("&").filter((pair) => pair !== "");
  const named = new Set(pairs.map((pair) => pair.split("=")[0]));
  const added = [...parameters].filter(([name]) => !named.has(name));
  const all = [...pairs, ...added.map(([name, value]) => `${name}=${encodeURIComponent(value)}`)];
  return all.length === 0 ? front : `${front}?${all.join("&")}`;
}
