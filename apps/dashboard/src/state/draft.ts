import type { RemoteInstance } from "@nodepass/master-client";
import { signal } from "@preact/signals";

/** What a form begins with that makes a new instance. */
export interface Draft {
  readonly url: string;
  readonly alias: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** The draft that the next form takes. */
export const draft = signal<Draft | undefined>(undefined);

/** Begins with what another instance has. */
export function startDraft({ url, alias, tags }: RemoteInstance): void {
  const own = Object.entries(tags).filter(([name]) => !name.startsWith("nodepass."));
  draft.value = { url, alias: alias === "" ? "" : `${alias}-2`, tags: Object.fromEntries(own) };
}
