import { parseMasterAddress } from "@nodepass/master-client";
import { computed, signal } from "@preact/signals";
import { forgetKey, type Keeping, keepKey, readKey } from "./keys.ts";
import { createClient, followMaster, type Master } from "./master.ts";
import { isTextList, preference } from "./preferences.ts";
import { ownMaster, ownUrl, signOut } from "./session.ts";

const urls = preference<readonly string[]>("masters", [], isTextList);
const followed = signal<ReadonlyMap<string, Master>>(new Map());

/** Masters beside the one that served the page, that this browser has a key of. */
const otherMasters = computed(() => [...followed.value.values()]);

/** The master of a fleet that is opened: it is reached through the hub. */
export const openedMember = signal<Master | undefined>(undefined);

/** Every master that is known here, the own one first; in a fleet the one that is opened. */
export const knownMasters = computed(() => {
  const own = openedMember.value ?? ownMaster.value;
  return own === undefined ? [] : [own, ...otherMasters.value];
});

const chosen = signal("");

/** The master whose tunnels are shown: the own one, unless another was chosen. */
export const currentMaster = computed(
  () => knownMasters.value.find(({ url }) => url === chosen.value) ?? knownMasters.value[0],
);

/** Shows the tunnels of another master. */
export function chooseMaster(url: string): void {
  chosen.value = url;
}

/** Follows the masters that this browser knows, from now on. */
export function followKnownMasters(): void {
  for (const url of urls.peek()) {
    const kept = readKey(url);
    if (kept !== undefined) follow(url, kept.key);
  }
}

function follow(url: string, key: string): void {
  const before = followed.peek().get(url);
  if (before !== undefined) before.useKey(key);
  else followed.value = new Map(followed.peek()).set(url, followMaster(url, key));
}

/**
 * Adds a master that answers with this key.
 *
 * @throws {MasterClientError} if it does not, or the address is none
 */
export async function addMaster(address: string, key: string, keeping: Keeping): Promise<void> {
  const { origin, basePaths } = parseMasterAddress(address.trim());
  const url = `${origin}${basePaths.at(-1) ?? ""}`;
  if (url === ownUrl) return;
  await createClient(url, key).info();
  keepKey(url, key, keeping);
  if (!urls.peek().includes(url)) urls.value = [...urls.peek(), url];
  follow(url, key);
}

/** A new key of a master is in force: goes on with it, and keeps it where the old one was. */
export function keepNewKey(master: Master, key: string): void {
  keepKey(master.url, key, readKey(master.url)?.keeping ?? "tab");
  master.useKey(key);
}

/** Forgets a master and its key. */
export function removeMaster(url: string): void {
  forgetKey(url);
  urls.value = urls.peek().filter((each) => each !== url);
  const rest = new Map(followed.peek());
  rest.get(url)?.close();
  rest.delete(url);
  followed.value = rest;
}

/** Signs out: no key of any master stays in this browser. */
export function leave(): void {
  for (const { url, close } of otherMasters.peek()) {
    forgetKey(url);
    close();
  }
  followed.value = new Map();
  signOut();
}

/** What people call a master: the name it was given, its host's, or its address. */
export function masterName(master: Master): string {
  const { alias, name } = master.facts.value;
  const named = [alias, name].find((each) => typeof each === "string" && each !== "");
  return typeof named === "string" ? named : new URL(master.url).host;
}
