import { MasterClientError } from "@nodepass/master-client";
import { type Signal, signal } from "@preact/signals";
import type { Followed } from "./keep-following.ts";
import { forgetKey, type Keeping, keepKey, onKeyKept, readKey } from "./keys.ts";
import { createClient, followMaster, type Master } from "./master.ts";

/** What whoever served this page has put into it. */
const told = (name: string): string | undefined =>
  document.querySelector<HTMLMetaElement>(`meta[name="nodepass-${name}"]`)?.content;

/** URL of the API of whoever served this page, which says where that is. */
export const ownUrl: string = new URL(told("api") ?? "..", document.baseURI).href.replace(
  /\/$/,
  "",
);

/** Whether the hub of a fleet served this page, not a master. */
export const isHub: boolean = told("server") === "hub";

/** The master that served this page, once there is a key for it. */
export const ownMaster = signal<Master | undefined>(undefined);

/** Why a link did not sign in. */
export const linkProblem = signal("");

/** Whoever served this page, as it is signed in to. */
interface Server<One extends Followed> {
  /** It, once there is a key. */
  readonly followed: Signal<One | undefined>;
  /** @throws {MasterClientError} `UNAUTHORIZED` for a wrong key, `UNREACHABLE` */
  check(key: string): Promise<unknown>;
  follow(key: string): One;
}

let check: Server<Followed>["check"] = () => Promise.reject(new Error("no server"));
let begin: (key: string) => void = () => undefined;
let end: () => void = () => undefined;

/** A master, for {@link resumeSession}. */
export const masterServer: Server<Master> = {
  followed: ownMaster,
  check: (key) => createClient(ownUrl, key).info(),
  follow: (key) => followMaster(ownUrl, key),
};

/** Signs in with the token of a one-time link or the key that is kept, if there is one. */
export async function resumeSession<One extends Followed>(server: Server<One>): Promise<void> {
  const { followed, follow } = server;
  check = server.check;
  begin = (key) => {
    const before = followed.peek();
    if (before !== undefined) before.useKey(key);
    else followed.value = follow(key);
  };
  end = () => {
    followed.peek()?.close();
    followed.value = undefined;
  };
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
 * Signs in with a key that the master, or a token that the hub, takes.
 *
 * @throws {MasterClientError} `UNAUTHORIZED` for a wrong one, `UNREACHABLE`
 */
export async function signIn(key: string, where: Keeping): Promise<void> {
  // A header takes no other characters; the master would not be asked at all.
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new MasterClientError("UNAUTHORIZED", "a key has letters, digits and signs only");
  }
  await check(key);
  keepKey(ownUrl, key, where);
  begin(key);
}

/** Forgets the key. */
export function signOut(): void {
  forgetKey(ownUrl);
  end();
}
