import { useLayoutEffect, useRef } from "preact/hooks";
import UPlot from "uplot";
import { locale, texts } from "../i18n/index.ts";
import { isDark } from "../state/look.ts";

/** One line of a chart. */
export interface ChartSeries {
  readonly label: string;
  /** A colour variable of the style sheet, such as `--down`. */
  readonly colour: string;
  readonly values: readonly (number | null)[];
}

export interface ChartProps {
  /** What it shows, for who does not see it; with the last values. */
  readonly label: string;
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly series: readonly ChartSeries[];
  readonly format: (value: number) => string;
  readonly height?: number;
}

/** Between two marks of an axis: whole numbers, as what is counted is. */
const increments = Array.from({ length: 15 }, (_each, power) =>
  [1, 2, 5].map((digit) => digit * 10 ** power),
).flat();

/** Lines over time. Pointing at it tells the values; while nobody does, it tells the last. */
export function Chart(props: ChartProps) {
  const isEmpty = props.series.every(({ values }) => values.every((value) => value === null));
  return isEmpty ? <p class="dim no-values">{texts().noValues}</p> : <Plot {...props} />;
}

function Plot({ label, times, series, format, height = 168 }: ChartProps) {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot>(undefined);
  const shown = useRef({ format });
  shown.current.format = format;
  // Anew with other colours, another language or other lines; data alone is put in.
  const look = `${isDark.value} ${locale.value} ${series.map((each) => each.label).join()} ${height}`;
  const data = [[...times], ...series.map(({ values }) => [...values])] as UPlot.AlignedData;

  // `look` stands for all that it is drawn by.
  useLayoutEffect(() => {
    const { current } = frame;
    if (current === null) return undefined;
    const colours = getComputedStyle(current);
    // Canvas knows no light-dark(): the style sheet resolves each in a property that is a colour.
    const colour = (name: string): string => {
      current.style.color = `var(${name})`;
      return colours.color;
    };
    const [ink, line] = [colour("--ink-3"), colour("--line")];
    const strokes = series.map((each) => colour(each.colour));
    const tell = (value: number | null): string =>
      value === null ? "–" : shown.current.format(value);
    const chart = new UPlot(
      {
        width: current.clientWidth,
        height,
        padding: [8, 4, 0, 0],
        cursor: { y: false, points: { size: 6 } },
        hooks: { setCursor: [tellLast] },
        fmtDate: formatterOf,
        scales: { y: { range: (_chart, _least, most) => [0, Math.max(most, 1) * 1.08] } },
        axes: [
          {
            stroke: ink,
            grid: { show: false },
            ticks: { stroke: line, width: 1 },
            font: "11px system-ui",
          },
          {
            stroke: ink,
            grid: { stroke: line, width: 1 },
            ticks: { show: false },
            incrs: increments,
            size: 68,
            font: "11px system-ui",
            values: (_chart, splits) => splits.map((each) => shown.current.format(each)),
          },
        ],
        series: [
          {
            label: texts().time,
            value: (_chart, time: number | null) => (time === null ? "–" : moment(time)),
          },
          ...series.map((each, at) => ({
            label: each.label,
            stroke: strokes[at] ?? "",
            fill: series.length === 1 ? withAlpha(strokes[at] ?? "") : "",
            width: 1.5,
            points: { show: false },
            value: (_chart: UPlot, value: number | null) => tell(value),
          })),
        ],
      },
      data,
      current,
    );
    plot.current = chart;
    const observer = new ResizeObserver(() =>
      chart.setSize({ width: current.clientWidth, height }),
    );
    observer.observe(current);
    return () => {
      observer.disconnect();
      chart.destroy();
      plot.current = undefined;
    };
  }, [look]);

  useLayoutEffect(() => {
    plot.current?.setData(data);
    if (plot.current !== undefined) tellLast(plot.current);
  });

  return <div ref={frame} class="chart" role="img" aria-label={label} />;
}

/** While nobody points at it, the legend tells the last values. */
function tellLast(chart: UPlot): void {
  const { idx } = chart.cursor;
  const [, ...lines] = chart.data;
  // What goes on now is not known yet.
  const last = Math.max(
    ...lines.map((line) => [...line].findLastIndex((value) => typeof value === "number")),
  );
  if ((idx === null || idx === undefined) && last >= 0) chart.setLegend({ idx: last }, false);
}

function withAlpha(colour: string): string {
  return `color-mix(in srgb, ${colour} 12%, transparent)`;
}

function moment(seconds: number): string {
  return new Intl.DateTimeFormat(locale.peek(), {
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  }).format(seconds * 1000);
}

/** uPlot asks for American forms; the language's own are used in their place. */
function formatterOf(template: string): (date: Date) => string {
  const hasDay = /\{(?:D|DD|M|MM|MMM|WWW|YY|YYYY)\}/.test(template);
  const hasSeconds = template.includes("{ss}");
  const hasTime = hasSeconds || /\{(?:h|H|HH|mm)\}/.test(template);
  const write = (options: Intl.DateTimeFormatOptions, date: Date): string =>
    new Intl.DateTimeFormat(locale.peek(), options).format(date);
  return (date) =>
    [
      ...(hasTime
        ? [
            write(
              { hour: "2-digit", minute: "2-digit", ...(hasSeconds && { second: "2-digit" }) },
              date,
            ),
          ]
        : []),
      ...(hasDay ? [write({ month: "short", day: "numeric" }, date)] : []),
    ].join("\n");
}
