import { computed, signal } from "@preact/signals";

/** What of the dashboard is shown; in the page's fragment, so that one page serves all of it. */
export type Route =
  | { readonly name: "tunnels" | "picture" | "master" | "new" | "pair" }
  | { readonly name: "tunnel" | "edit"; readonly id: string };

const hash = signal(location.hash);
addEventListener("hashchange", () => {
  hash.value = location.hash;
});

/** The route that the fragment names; the list for anything else. */
export function parseRoute(fragment: string): Route {
  const [name = "", id = "", more] = fragment.replace(/^#\/?/, "").split("/");
  if (name === "tunnel" && id !== "") {
    return { name: more === "edit" ? "edit" : "tunnel", id: decodeURIComponent(id) };
  }
  return name === "picture" || name === "master" || name === "new" || name === "pair"
    ? { name }
    : { name: "tunnels" };
}

/** The fragment of a route, as a link has it. */
export function hrefOf(route: Route): string {
  if (!("id" in route)) return route.name === "tunnels" ? "#/" : `#/${route.name}`;
  const base = `#/tunnel/${encodeURIComponent(route.id)}`;
  return route.name === "edit" ? `${base}/edit` : base;
}

/** Where the page is. */
export const route = computed(() => parseRoute(hash.value));

/** Goes to a route. */
export function goTo(to: Route): void {
  location.hash = hrefOf(to);
}
