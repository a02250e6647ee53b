import { computed, signal } from "@preact/signals";

/** What of the dashboard is shown; in the page's fragment, so that one page serves all of it. */
export type Route =
  | { readonly name: "tunnels" | "picture" | "master" | "new" | "pair" }
  | { readonly name: "tunnel" | "edit"; readonly id: string };

/** The page's fragment. */
export const fragment = signal(location.hash);
addEventListener("hashchange", () => {
  fragment.value = location.hash;
});

/** At a hub a master's pages have its id before them: `#/masters/0123456789abcdef/tunnel/…`. */
const IN_FLEET = /^#\/masters\/([^/]+)(?=\/|$)/;

/** The id of the fleet's master whose pages are shown. */
export const memberId = computed(() => IN_FLEET.exec(fragment.value)?.[1]);

/** The route that the fragment names; the list for anything else. */
function parseRoute(text: string): Route {
  const [name = "", id = "", more] = text
    .replace(IN_FLEET, "")
    .replace(/^#?\/?/, "")
    .split("/");
  if (name === "tunnel" && id !== "") {
    return { name: more === "edit" ? "edit" : "tunnel", id: decodeURIComponent(id) };
  }
  return name === "picture" || name === "master" || name === "new" || name === "pair"
    ? { name }
    : { name: "tunnels" };
}

/** The fragment of a route, as a link has it; of the same master as the page. */
export function hrefOf(route: Route, member = memberId.value): string {
  const base = member === undefined ? "#" : `#/masters/${member}`;
  if (!("id" in route)) return `${base}/${route.name === "tunnels" ? "" : route.name}`;
  const tunnel = `${base}/tunnel/${encodeURIComponent(route.id)}`;
  return route.name === "edit" ? `${tunnel}/edit` : tunnel;
}

/** Where the page is. */
export const route = computed(() => parseRoute(fragment.value));

/** Goes to a route. */
export function goTo(to: Route): void {
  location.hash = hrefOf(to);
}
