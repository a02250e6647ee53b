import type { ComponentChildren } from "preact";

/** A table that may be wider than the page: it is scrolled by itself, with keys too. */
export function WideTable({
  label,
  children,
}: {
  readonly label: string;
  readonly children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled by key
    <figure class="wide-table" aria-label={label} tabIndex={0}>
      <table>{children}</table>
    </figure>
  );
}
