import type { UrlFields } from "../../state/url-text.ts";
import { withParameter } from "../../state/url-text.ts";

/** What an instance is made for. */
export const ROLES = ["forwarder", "reverse", "forward", "client"] as const;

export type Role = (typeof ROLES)[number];

const meanings = {
  forwarder: { scheme: "client", mode: "1" },
  reverse: { scheme: "server", mode: "1" },
  forward: { scheme: "server", mode: "2" },
  client: { scheme: "client", mode: "2" },
} as const;

/** The role that fields have; `undefined` where the mode is left to what is free. */
export function roleOf({ scheme, parameters }: UrlFields): Role | undefined {
  const mode = parameters.get("mode");
  return ROLES.find((role) => meanings[role].scheme === scheme && meanings[role].mode === mode);
}

/** The fields in another role. */
export function inRole(fields: UrlFields, role: Role): UrlFields {
  const { scheme, mode } = meanings[role];
  return withParameter({ ...fields, scheme }, "mode", mode);
}
