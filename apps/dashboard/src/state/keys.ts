/** Where a key is kept: as long as the tab, or in this browser until somebody signs out. */
export type Keeping = "tab" | "browser";

/** A key that is kept, and where. */
export interface KeptKey {
  readonly key: string;
  readonly keeping: Keeping;
}

const nameOf = (url: string): string => `nodepass.key.${url}`;
const stores = { tab: () => sessionStorage, browser: () => localStorage } as const;

/** The key of the master at `url`, if this tab or this browser has one. */
export function readKey(url: string): KeptKey | undefined {
  for (const keeping of ["tab", "browser"] as const) {
    const key = attempt(() => stores[keeping]().getItem(nameOf(url)));
    if (typeof key === "string" && key !== "") return { key, keeping };
  }
  return undefined;
}

/** Keeps a key; the other place forgets it. */
export function keepKey(url: string, key: string, keeping: Keeping): void {
  forgetKey(url);
  attempt(() => stores[keeping]().setItem(nameOf(url), key));
}

/** Forgets the key of a master. */
export function forgetKey(url: string): void {
  for (const store of Object.values(stores)) attempt(() => store().removeItem(nameOf(url)));
}

/** Calls with a key that another tab of this browser has kept for `url`. */
export function onKeyKept(url: string, use: (key: string) => void): void {
  addEventListener("storage", ({ key: name, newValue }) => {
    if (name === nameOf(url) && newValue !== null && newValue !== "") use(newValue);
  });
}

/** Storage may be switched off: then a key lives as long as the page. */
function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
