import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { formatRate } from "../../format/units.ts";
import { texts } from "../../i18n/index.ts";
import type { Path } from "./find-paths.ts";
import { type Box, type Line, layOut } from "./lay-out.ts";

const LEAST_WIDTH = 860;
const LEAST_LINE = 1.5;
const MOST_LINE = 16;

/** Boxes and lines; a line is as wide as what goes over it. */
export function Drawing({ paths }: { readonly paths: readonly Path[] }) {
  const t = texts();
  const frame = useRef<HTMLElement>(null);
  const [width, setWidth] = useState(LEAST_WIDTH);
  useLayoutEffect(() => {
    const { current } = frame;
    if (current === null) return undefined;
    const observer = new ResizeObserver(() => setWidth(Math.max(LEAST_WIDTH, current.clientWidth)));
    observer.observe(current);
    return () => observer.disconnect();
  }, []);

  const { boxes, lines, height } = layOut(paths);
  const places = columnsOf(width);
  return (
    <figure
      ref={frame}
      class="picture"
      aria-label={t.pages.picture}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled by key
      tabIndex={0}
    >
      <div class="picture-heads" style={{ width: `${width}px` }} aria-hidden="true">
        {places.map(({ left, width: wide }, at) => (
          <span key={left} style={{ left: `${left}px`, width: `${wide}px` }}>
            {t.picture.columns[at]}
          </span>
        ))}
      </div>
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
        <title>{t.pages.picture}</title>
        {lines.map((line) => (
          <PathLine key={line.key} line={line} places={places} />
        ))}
        {boxes.map((box) => (
          <BoxShape key={box.key} box={box} places={places} />
        ))}
      </svg>
    </figure>
  );
}

interface Place {
  readonly left: number;
  readonly width: number;
}

/** Where the four columns stand: users need little, addresses more. */
function columnsOf(width: number): readonly Place[] {
  const widths = [92, 210, 210, 190].map((each) => each * Math.min(1.25, width / LEAST_WIDTH));
  // The last box's line needs a pixel.
  const gap = (width - 1 - widths.reduce((sum, each) => sum + each, 0)) / 3;
  let left = 0;
  return widths.map((each) => {
    const place = { left, width: each };
    left += each + gap;
    return place;
  });
}

/** Each time ten times as much adds as much. */
function widthOf(rate: number): number {
  const share = Math.log10(1 + rate / 100) / 6;
  return LEAST_LINE + Math.min(1, share) * (MOST_LINE - LEAST_LINE);
}

function PathLine({ line, places }: { readonly line: Line; readonly places: readonly Place[] }) {
  const { from, to, path } = line;
  const start = places[from[0]];
  const end = places[to[0]];
  if (start === undefined || end === undefined) return null;
  const x1 = start.left + start.width;
  const x2 = end.left;
  // Over a column that it leaves out it goes straight, then turns.
  const bend = Math.min(90, (x2 - x1) / 2);
  const d = `M${x1} ${from[1]}C${x1 + bend} ${from[1]} ${x2 - bend} ${to[1]} ${x2} ${to[1]}`;
  return (
    <g class={`path ${path.condition} ${path.rate > 0 ? "busy" : ""}`}>
      <path d={d} stroke-width={widthOf(path.rate)} />
      {path.rate > 0 ? (
        <path class="flow" d={d} stroke-width={Math.min(3, widthOf(path.rate) / 2)} />
      ) : null}
    </g>
  );
}

function BoxShape({ box, places }: { readonly box: Box; readonly places: readonly Place[] }) {
  const t = texts();
  const place = places[box.column];
  if (place === undefined) return null;
  const { path } = box;
  const top = box.at - box.height / 2;
  const end = box.column === 1 ? path?.entry : path?.exit;
  const master = end?.place?.name ?? t.picture.elsewhere;
  const title =
    box.column === 0 ? t.picture.users : box.column === 1 ? (path?.name ?? "") : box.text || master;
  const below =
    path === undefined
      ? ""
      : box.column === 1
        ? `${master} ${box.text}`
        : box.text === ""
          ? ""
          : master;
  const shape = (
    <g class={`box column-${box.column} ${path?.condition ?? ""}`}>
      <rect x={place.left} y={top} width={place.width} height={box.height} rx="8" />
      <text x={place.left + 12} y={below === "" ? box.at + 4.5 : box.at - 3}>
        {cut(title, place.width)}
      </text>
      {below === "" ? null : (
        <text class="below" x={place.left + 12} y={box.at + 13}>
          {cut(below, place.width)}
        </text>
      )}
      {box.column === 1 && path !== undefined && path.rate > 0 ? (
        <text class="rate-text" x={place.left + place.width - 10} y={box.at - 3} text-anchor="end">
          {formatRate(path.rate)}
        </text>
      ) : null}
    </g>
  );
  return box.column === 1 && path?.href !== undefined ? <a href={path.href}>{shape}</a> : shape;
}

/** What fits into a box; letters are about so wide. */
function cut(text: string, width: number): string {
  const most = Math.floor((width - 24) / 7);
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
