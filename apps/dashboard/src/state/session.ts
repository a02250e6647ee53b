import { MasterClientError } from "@nodepass/master-client";
import { computed, signal } from "@preact/signals";
import { forgetKey, type Keeping, keepKey, onKeyKept, readKey } from "./keys.ts";
import { createClient, followMaster, type Master } from "./master.ts";

/** URL of the API of the master that served this page, which says where that is. */
export const ownUrl: string = new URL(
  document.querySelector<HTMLMetaElement>('meta[name="nodepass-api"]')?.content ?? "..",
  document.baseURI,
).href.replace(/\/$/, "");

const signedIn = signal<Master | undefined>(undefined);

/** The master that served this page, once there is a key for it. */
export const ownMaster = computed(() => signedIn.value);

/** Why a link did not sign in. */
export const linkProblem = signal("");

function begin(key: string): void {
  const before = signedIn.peek();
  if (before !== undefined) before.useKey(key);
  else signedIn.value = followMaster(ownUrl, key);
}

/** Signs in with the token of a one-time link or the key that is kept, if there is one. */
export async function resumeSession(): Promise<void> {
  onKeyKept(ownUrl, begin);
  // A link that is opened where the dashboard is open already changes the fragment alone.
  addEventListener("hashchange", () => void followLink());
  if (await followLink()) return;
  const kept = readKey(ownUrl);
  if (kept !== undefined) begin(kept.key);
}

/** @returns whether the page's address is a link that signs in, and did */
async function followLink(): Promise<boolean> {
  const token = /^#sign-in=([\w-]+)$/.exec(location.hash)?.[1];
  if (token === undefined) return false;
  // It is used up by this: neither the address bar nor the history keeps it.
  history.replaceState(null, "", `${location.pathname}${location.search}#/`);
  dispatchEvent(new HashChangeEvent("hashchange"));
  try {
    await signIn(await exchangeToken(token), "tab");
    linkProblem.value = "";
    return true;
  } catch (error) {
    linkProblem.value = error instanceof Error ? error.message : String(error);
    return false;
  }
}

async function exchangeToken(token: string): Promise<string> {
  const response = await fetch(`${ownUrl}/sign-in`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token }),
    credentials: "omit",
    cache: "no-store",
  });
  const answer: unknown = await response.json();
  if (typeof answer === "object" && answer !== null) {
    if ("key" in answer && typeof answer.key === "string") return answer.key;
    if ("error" in answer && typeof answer.error === "string") throw new Error(answer.error);
  }
  throw new Error(`status ${response.status}`);
}

/**
 * Signs in with a key that the master takes.
 *
 * @throws {MasterClientError} `UNAUTHORIZED` for a wrong one, `UNREACHABLE`
 */
export async function signIn(key: string, where: Keeping): Promise<void> {
  // A header takes no other characters; the master would not be asked at all.
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new MasterClientError("UNAUTHORIZED", "a key has letters, digits and signs only");
  }
  await createClient(ownUrl, key).info();
  keepKey(ownUrl, key, where);
  begin(key);
}

/** Forgets the key. */
export function signOut(): void {
  forgetKey(ownUrl);
  signedIn.peek()?.close();
  signedIn.value = undefined;
}
