import type { InstanceChange } from "./instance.ts";
import { InstanceError } from "./instance-error.ts";

/** Longest alias and longest string of `meta`, in characters (code points). */
const MAX_TEXT = 256;
const ACTIONS: ReadonlySet<unknown> = new Set(["start", "stop", "restart", "reset"]);

/**
 * Checks what can be said of a change without looking at the instance.
 *
 * @throws {InstanceError} `INVALID`
 */
export function checkChange({ alias, meta, action }: InstanceChange): void {
  checkText("alias", alias);
  checkText("meta.peer.sid", meta?.peer?.sid);
  checkText("meta.peer.type", meta?.peer?.type);
  checkText("meta.peer.alias", meta?.peer?.alias);
  for (const [name, value] of Object.entries(meta?.tags ?? {})) {
    checkText("meta.tags", name);
    checkText("meta.tags", value);
  }
  if (action !== undefined && !ACTIONS.has(action)) {
    throw new InstanceError("INVALID", "action is none of start, stop, restart, reset");
  }
}

/** @throws {InstanceError} `INVALID` if a text is too long */
export function checkText(name: string, text: string | undefined): void {
  if (text === undefined || text.length <= MAX_TEXT) return;
  // A character takes two UTF-16 units at most: what is longer need not be counted.
  if (text.length <= 2 * MAX_TEXT && Array.from(text).length <= MAX_TEXT) return;
  throw new InstanceError("INVALID", `${name} has more than ${MAX_TEXT} characters`);
}
