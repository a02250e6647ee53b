import { effect, signal } from "@preact/signals";
import { openedMember } from "../../state/masters.ts";
import { ownUrl } from "../../state/session.ts";
import { createHubClient, type Fleet, followFleet } from "./fleet.ts";

/** The fleet whose hub served this page, once there is a token for it. */
export const ownFleet = signal<Fleet | undefined>(undefined);

/** A hub, for `resumeSession`. */
export const hubServer = {
  followed: ownFleet,
  check: (key: string) => createHubClient(ownUrl, key).info(),
  follow: (key: string) => followFleet(ownUrl, key),
};

// Whoever has signed out follows nobody.
effect(() => {
  if (ownFleet.value !== undefined) return;
  openedMember.peek()?.close();
  openedMember.value = undefined;
});
