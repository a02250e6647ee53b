import type { HostPort } from "@nodepass/url-config";

/** The port of a target for a place in the entry's range: its own n-th, or its only one. */
export function portOf({ port, lastPort }: HostPort, place: number): number | undefined {
  if (lastPort === undefined) return port;
  return port + place <= lastPort ? port + place : undefined;
}
