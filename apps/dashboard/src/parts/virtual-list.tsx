// biome-ignore-all lint/a11y/useSemanticElements: laid out as grids, table elements lose their roles
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

export interface VirtualListProps<T> {
  readonly items: readonly T[];
  /** Height of each, px. */
  readonly rowHeight: number;
  readonly keyOf: (item: T) => string;
  readonly render: (item: T, index: number) => ComponentChildren;
}

/** Rows beyond what is seen, on either side: scrolling shows no gap. */
const MARGIN = 6;

/**
 * A list of any length of which only what is seen is in the page. The page's own scrolling moves it,
 * so that it works with a finger, a wheel and the keyboard as any other text.
 */
export function VirtualList<T>({ items, rowHeight, keyOf, render }: VirtualListProps<T>) {
  const frame = useRef<HTMLDivElement>(null);
  const [range, setRange] = useState({ first: 0, last: 40 });

  useLayoutEffect(() => {
    const scroller = frame.current?.closest(".scroller");
    const measure = (): void => {
      if (frame.current === null || scroller === null || scroller === undefined) return;
      const top = scroller.getBoundingClientRect().top - frame.current.getBoundingClientRect().top;
      const first = Math.max(0, Math.floor(top / rowHeight) - MARGIN);
      const last = first + Math.ceil(scroller.clientHeight / rowHeight) + 2 * MARGIN;
      setRange((now) => (now.first === first && now.last === last ? now : { first, last }));
    };
    measure();
    scroller?.addEventListener("scroll", measure, { passive: true });
    addEventListener("resize", measure);
    return () => {
      scroller?.removeEventListener("scroll", measure);
      removeEventListener("resize", measure);
    };
  }, [rowHeight, items.length]);

  const first = Math.min(range.first, Math.max(0, items.length - 1));
  const shown = items.slice(first, range.last);
  return (
    <div
      ref={frame}
      class="virtual"
      role="rowgroup"
      style={{ height: `${items.length * rowHeight}px` }}
    >
      {shown.map((item, at) => (
        <div
          key={keyOf(item)}
          class="virtual-row"
          role="presentation"
          style={{
            transform: `translateY(${(first + at) * rowHeight}px)`,
            height: `${rowHeight}px`,
          }}
        >
          {render(item, first + at)}
        </div>
      ))}
    </div>
  );
}
