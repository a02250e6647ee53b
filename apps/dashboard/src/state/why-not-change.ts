import { texts } from "../i18n/index.ts";
import type { Master } from "./master.ts";

/** Why the key may change nothing at a master, for people; `undefined`: it may. */
export function whyNotChange({ mayChange }: Pick<Master, "mayChange">): string | undefined {
  return mayChange.value ? undefined : texts().readsOnly;
}
