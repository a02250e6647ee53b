import { computed } from "@preact/signals";
import { fragment, memberId } from "../router.ts";

/** The pages of a fleet that are always a click away. */
export const FLEET_PAGES = ["masters", "services", "picture", "events", "audit", "tokens"] as const;

export type FleetPage = (typeof FLEET_PAGES)[number];

/** What of a fleet is shown. */
export type FleetRoute =
  | { readonly page: Exclude<FleetPage, "masters" | "services"> }
  | { readonly page: "masters"; readonly mid: string | undefined }
  | { readonly page: "services"; readonly sid: string | undefined };

/** A service that is being made, in the place of a sid. */
export const NEW_SERVICE = "new";

/** The route that the fragment names; the masters for anything else. */
export const fleetRoute = computed((): FleetRoute => {
  const mid = memberId.value;
  if (mid !== undefined) return { page: "masters", mid };
  const [name = "", id = ""] = fragment.value.replace(/^#\/?/, "").split("/");
  const page = FLEET_PAGES.find((each) => each === name) ?? "masters";
  if (page === "masters") return { page, mid: undefined };
  return page === "services"
    ? { page, sid: id === "" ? undefined : decodeURIComponent(id) }
    : { page };
});

/** The fragment of a page. */
export function hrefOfPage(page: FleetPage): string {
  return page === "masters" ? "#/" : `#/${page}`;
}
