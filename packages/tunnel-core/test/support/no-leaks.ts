import { expect, vi } from "vitest";

/** Sockets and listeners that Node holds now, by kind. */
export function openSockets(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => /^(TCP|UDP|TLS)/i.test(kind));
}

/** Waits until no socket is left: for `afterEach`. */
export async function expectNoSockets(): Promise<void> {
  await vi.waitFor(() => expect(openSockets()).toEqual([]), { timeout: 5_000, interval: 10 });
}
