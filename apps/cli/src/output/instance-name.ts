import { nameInstance, type RemoteInstance } from "@nodepass/master-client";
import { plainText } from "./terminal-text.ts";

/** How people see which instance is meant, on a terminal: id and alias. */
export function shownName(instance: RemoteInstance): string {
  return plainText(nameInstance(instance));
}
