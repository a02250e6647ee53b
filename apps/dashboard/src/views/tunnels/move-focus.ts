/**
 * Arrows go from row to row; Home and End to the first and last that are in the page. Scrolling
 * brings the next ones in, so all can be reached.
 */
export function moveFocus(event: KeyboardEvent): void {
  const { key, target, currentTarget } = event;
  if (!(target instanceof HTMLElement) || !(currentTarget instanceof HTMLElement)) return;
  if (!["ArrowDown", "ArrowUp", "Home", "End"].includes(key)) return;
  if (target.closest("[role=menu]") !== null) return;
  const links = [...currentTarget.querySelectorAll<HTMLElement>("a.row-link")];
  const row = target.closest("[role=row]");
  const now = links.findIndex((link) => row?.contains(link) === true);
  const next = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: links.length - 1 }[key];
  const link = next === undefined ? undefined : links[next];
  if (link === undefined) return;
  event.preventDefault();
  link.focus();
  link.scrollIntoView({ block: "nearest" });
}
