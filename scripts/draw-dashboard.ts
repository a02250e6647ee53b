/**
 * Draws the Grafana dashboard as an SVG picture for the documents: its panels, where it has them, with
 * what a Prometheus answers to their queries.
 *
 *     node scripts/draw-dashboard.ts http://127.0.0.1:9090 10 > docs/dashboard.svg
 *
 * The arguments are the URL of Prometheus and how many minutes to show.
 */
import { readFileSync } from "node:fs";

const CELL = 56;
const ROW = 26;
const STEPS = 120;
const MAX_LINES = 8;
const COLOURS = [
  ...["#2f7d4f", "#c98a00", "#2b66b1", "#c23b3b", "#7b4bb3", "#0f8b8d"],
  ...["#a05a2c", "#667085"],
];

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly gridPos: {
    readonly h: number;
    readonly w: number;
    readonly x: number;
    readonly y: number;
  };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  readonly fieldConfig?: {
    readonly defaults: { readonly unit: string; readonly decimals?: number };
  };
}

interface Line {
  readonly name: string;
  readonly points: readonly (readonly [seconds: number, value: number])[];
}

const [, , prometheus = "http://127.0.0.1:9090", minutes = "10"] = process.argv;
const to = Math.floor(Date.now() / 1000);
const from = to - Number(minutes) * 60;
const dashboard: { readonly panels: readonly Panel[] } = JSON.parse(
  readFileSync(new URL("../deploy/grafana/nodepass.json", import.meta.url), "utf8"),
);

/** Asks for the lines of one query over the time shown. */
async function ask(expr: string, legend: string): Promise<Line[]> {
  const step = Math.max(1, Math.round((to - from) / STEPS));
  const query = expr
    .replaceAll("$__rate_interval", "30s")
    .replace(/\$(?:job|instance|id)\b/g, ".*");
  const asked = new URLSearchParams({ query, start: `${from}`, end: `${to}`, step: `${step}` });
  const answer = await fetch(`${prometheus}/api/v1/query_range?${asked}`);
  const { error, data } = (await answer.json()) as {
    error?: string;
    data?: { result: { metric: Record<string, string>; values: [number, string][] }[] };
  };
  if (data === undefined) throw new Error(`${expr}: ${error}`);
  return data.result.map(({ metric, values }) => ({
    name: legend.replace(/\{\{(\w+)\}\}/g, (_all, label: string) => metric[label] ?? "").trim(),
    points: values
      .map(([at, value]) => [at, Number(value)] as const)
      .filter(([, value]) => Number.isFinite(value)),
  }));
}

const PREFIXES = ["", "k", "M", "G", "T"];

/** A value in its unit, as people read it. */
function format(value: number, unit: string, decimals?: number): string {
  if (unit === "s") {
    if (value === 0) return "0 s";
    if (value < 0.001) return `${trim(value * 1e6)} µs`;
    return value < 1 ? `${trim(value * 1000)} ms` : `${trim(value)} s`;
  }
  if (unit === "percentunit") return `${trim(value * 100)} %`;
  const suffix = { Bps: "B/s", bytes: "B", cps: "/s" }[unit] ?? "";
  if (decimals !== undefined) return `${value.toFixed(decimals)} ${suffix}`;
  let at = 0;
  let scaled = value;
  while (scaled >= 1000 && at < PREFIXES.length - 1) {
    scaled /= 1000;
    at++;
  }
  return `${trim(scaled)} ${PREFIXES[at]}${suffix}`.trim();
}

function trim(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** The next of 1, 2 or 5 times a power of ten. */
function roundUp(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power;
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function text(x: number, y: number, content: string, more = ""): string {
  return `<text x="${x}" y="${y}" ${more}>${escapeXml(content)}</text>`;
}

function drawLines(panel: Panel, lines: readonly Line[], box: readonly number[]): string[] {
  const [x = 0, y = 0, w = 0, h = 0] = box;
  const [left, top, right, bottom] = [x + 62, y + 30, x + w - 12, y + h - 42];
  const unit = panel.fieldConfig?.defaults.unit ?? "short";
  const most = roundUp(Math.max(0, ...lines.flatMap(({ points }) => points.map(([, v]) => v))));
  const out: string[] = [];
  for (let tick = 0; tick <= 4; tick++) {
    const at = bottom - ((bottom - top) * tick) / 4;
    out.push(`<path d="M${left} ${at.toFixed(1)}H${right}" stroke="#e4e7ec"/>`);
    out.push(text(left - 6, at + 4, format((most * tick) / 4, unit), 'text-anchor="end"'));
  }
  for (const [tick, label] of [`-${minutes} min`, "now"].entries()) {
    const anchor = tick === 0 ? "start" : "end";
    out.push(text(tick === 0 ? left : right, bottom + 14, label, `text-anchor="${anchor}"`));
  }
  let legendX = left;
  for (const [index, { name, points }] of lines.slice(0, MAX_LINES).entries()) {
    const colour = COLOURS[index % COLOURS.length];
    const path = points.map(([at, value], first) => {
      const px = left + ((right - left) * (at - from)) / (to - from);
      const py = bottom - ((bottom - top) * value) / most;
      return `${first === 0 ? "M" : "L"}${px.toFixed(1)} ${py.toFixed(1)}`;
    });
    out.push(`<path d="${path.join("")}" fill="none" stroke="${colour}" stroke-width="1.5"/>`);
    const width = 18 + name.length * 6;
    if (legendX + width > right) continue;
    out.push(`<path d="M${legendX} ${y + h - 12}h10" stroke="${colour}" stroke-width="3"/>`);
    out.push(text(legendX + 14, y + h - 8, name));
    legendX += width + 8;
  }
  if (lines.length === 0) out.push(text((left + right) / 2, (top + bottom) / 2, "nothing"));
  return out;
}

async function draw(panel: Panel): Promise<string[]> {
  const { gridPos } = panel;
  const box = [
    gridPos.x * CELL + 4,
    gridPos.y * ROW + 4,
    gridPos.w * CELL - 8,
    gridPos.h * ROW - 8,
  ];
  const [x = 0, y = 0, w = 0, h = 0] = box;
  if (panel.type === "row")
    return [text(x + 4, y + 17, panel.title, 'font-weight="bold" font-size="14"')];
  const asked = (panel.targets ?? []).map(({ expr, legendFormat }) => ask(expr, legendFormat));
  const lines = (await Promise.all(asked)).flat();
  const frame = `<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="3" fill="#fff" stroke="#d0d5dd"/>`;
  const title = text(x + 10, y + 18, panel.title, 'font-weight="bold"');
  if (panel.type !== "stat") return [frame, title, ...drawLines(panel, lines, box)];
  const { unit = "short", decimals } = panel.fieldConfig?.defaults ?? {};
  const value = format(lines[0]?.points.at(-1)?.[1] ?? 0, unit, decimals);
  const look = 'text-anchor="middle" font-size="30" fill="#2f7d4f"';
  return [frame, title, text(x + w / 2, y + h / 2 + 20, value, look)];
}

const drawn = await Promise.all(dashboard.panels.map(draw));
const bottom = Math.max(...dashboard.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
const [width, height] = [24 * CELL + 4, bottom * ROW + 8];
process.stdout.write(
  [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11" fill="#344054">`,
    `<rect width="${width}" height="${height}" fill="#f4f5f7"/>`,
    ...drawn.flat(),
    "</svg>",
    "",
  ].join("\n"),
);
