import { describeParameters } from "@nodepass/url-config";
import { z } from "zod";

/** What of a tunnel is set apart from its URL's query. */
const ADDRESS_SETTINGS = {
  role: "server or client",
  password: "the tunnel key, the same at both ends; empty removes it",
  tunnel_address:
    "host of the tunnel: where a server listens, where a client dials (or listens, with mode 1); empty is all interfaces",
  tunnel_port: "port of the tunnel, 0 to 65535",
  target_address: "host of the target; empty is all interfaces where the tunnel listens on it",
  target_port: "port of the target, 0 to 65535",
  targets:
    "several targets, host:port with commas between; in place of target_address and target_port",
} as const;

/** A name of {@link ADDRESS_SETTINGS}. */
export type AddressSetting = keyof typeof ADDRESS_SETTINGS;

const parameters = new Map(describeParameters().map((each) => [each.name, each]));

/** What a URL can be made of but its role and port, which it can't do without. */
export const URL_SETTINGS: readonly string[] = [
  ...["tunnel_address", "target_address", "target_port", "targets", "password"],
  ...[...parameters.values()]
    .filter(({ schemes }) => schemes.some((scheme) => scheme !== "master"))
    .map(({ name }) => name),
];

/** An argument that sets a part of a URL, described from url-config's own table. */
function settingArgument(name: string): z.ZodOptional<z.ZodString> {
  return z.string().describe(describeSetting(name)).optional();
}

/** Arguments for several settings. */
export function settingArguments<const Names extends readonly string[]>(
  names: Names,
): { [Name in Names[number]]: z.ZodOptional<z.ZodString> } {
  // The entries are those of the names.
  return Object.fromEntries(names.map((name) => [name, settingArgument(name)])) as {
    [Name in Names[number]]: z.ZodOptional<z.ZodString>;
  };
}

function describeSetting(name: string): string {
  if (isAddressSetting(name)) return ADDRESS_SETTINGS[name];
  const known = parameters.get(name);
  if (known === undefined) return name;
  const { schemes, defaultText, allowed, meaning } = known;
  const tunnels = schemes.filter((scheme) => scheme !== "master");
  const whose = tunnels.length === 1 ? `${tunnels[0]} only: ` : "";
  const otherwise = defaultText === undefined ? "" : `; default ${defaultText}`;
  return `${whose}${meaning} (${allowed}${otherwise})`;
}

/** Whether a setting is no parameter of the query. */
export function isAddressSetting(name: string): name is AddressSetting {
  return Object.hasOwn(ADDRESS_SETTINGS, name);
}
