import { advantage, type Results, type Spread, type SystemResult } from "./results.ts";
import { GROUPS } from "./system.ts";

/** What the chart shows: phase, figure, and which way is better. */
const BARS: readonly [phase: string, figure: string, better: "higher" | "lower"][] = [
  ["up1", "megabytesPerSecond", "higher"],
  ["down1", "megabytesPerSecond", "higher"],
  ["up8", "megabytesPerSecond", "higher"],
  ["down8", "megabytesPerSecond", "higher"],
  ["bidi1", "megabytesPerSecond", "higher"],
  ["rr1", "perSecond", "higher"],
  ["rr64", "perSecond", "higher"],
  ["crr1", "perSecond", "higher"],
  ["crr16", "perSecond", "higher"],
  ["burst500", "ms", "lower"],
  ["udp1", "perSecond", "higher"],
  ["udp64", "perSecond", "higher"],
];

const WIDTH = 960;
const LEFT = 44;
const PANEL = 210;
const PLOT = 130;
const COLOURS = ["#2f6db3", "#d9822b", "#3f9c6b", "#a3528f", "#7b6f5b", "#c0504d"];
/** The axis is logarithmic: ten times better is as far from 1 as ten times worse. */
const LIMIT = 10;
const TICKS = [0.1, 0.2, 0.5, 1, 2, 5, 10];

/** An SVG of how much better ours is than each peer, phase by phase. */
export function chartOf(results: Results): string {
  const panels: string[] = [];
  let y = 40;
  for (const group of GROUPS) {
    const systems = results.systems.filter((system) => system.group === group);
    const ours = systems.find((system) => system.reference);
    const peers = systems.filter((system) => !system.reference);
    if (ours === undefined || peers.length === 0) continue;
    panels.push(panel(group, ours, peers, y));
    y += PANEL;
  }
  const title = `How much better nodepass-ts is (log scale, 1 = equal), medians of ${results.rounds} rounds, lines: all rounds`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" font-family="sans-serif" font-size="12">`,
    "<title>How much better nodepass-ts is than each peer, phase by phase</title>",
    `<rect width="${WIDTH}" height="${y}" fill="#ffffff"/>`,
    text(LEFT, 22, title, 'font-size="14"'),
    ...panels,
    "</svg>",
    "",
  ].join("\n");
}

function panel(
  group: string,
  ours: SystemResult,
  peers: readonly SystemResult[],
  top: number,
): string {
  const parts = [text(LEFT, top + 12, group, 'font-weight="bold"')];
  let legendX = LEFT + 170;
  for (const [index, peer] of peers.entries()) {
    parts.push(
      `<rect x="${legendX}" y="${top + 2}" width="12" height="12" fill="${colour(index)}"/>`,
    );
    parts.push(text(legendX + 17, top + 12, `against ${peer.name}`));
    legendX += 90 + peer.name.length * 7;
  }
  const plotTop = top + 26;
  for (const tick of TICKS) {
    const y = height(tick, plotTop);
    const stroke = tick === 1 ? "#333333" : "#dddddd";
    parts.push(`<line x1="${LEFT}" x2="${WIDTH - 10}" y1="${y}" y2="${y}" stroke="${stroke}"/>`);
    parts.push(text(LEFT - 6, y + 4, String(tick), 'text-anchor="end" fill="#555555"'));
  }
  const slot = (WIDTH - LEFT - 10) / BARS.length;
  for (const [place, [phase, figure, better]] of BARS.entries()) {
    const x = LEFT + place * slot;
    parts.push(text(x + slot / 2, plotTop + PLOT + 16, phase, 'text-anchor="middle"'));
    const width = Math.min(18, (slot - 14) / peers.length);
    const first = x + (slot - width * peers.length) / 2;
    for (const [index, peer] of peers.entries()) {
      const spread = advantage(ours, peer, phase, figure, better);
      if (spread !== undefined) {
        parts.push(bar(first + index * width, width, spread, plotTop, colour(index)));
      }
    }
  }
  return parts.join("\n");
}

function colour(index: number): string {
  return COLOURS[index % COLOURS.length] ?? "#000000";
}

function height(ratio: number, plotTop: number): number {
  const within = Math.min(LIMIT, Math.max(1 / LIMIT, ratio));
  return round(plotTop + PLOT / 2 - (Math.log10(within) / Math.log10(LIMIT)) * (PLOT / 2));
}

function bar(x: number, width: number, spread: Spread, plotTop: number, fill: string): string {
  const one = height(1, plotTop);
  const end = height(spread.median, plotTop);
  const middle = round(x + width / 2);
  const label = end < one ? end - 4 : end + 11;
  return [
    `<rect x="${round(x + 1)}" y="${Math.min(one, end)}" width="${round(width - 2)}" height="${round(Math.abs(one - end))}" fill="${fill}"/>`,
    `<line x1="${middle}" x2="${middle}" y1="${height(spread.max, plotTop)}" y2="${height(spread.min, plotTop)}" stroke="#222222"/>`,
    text(
      middle,
      label,
      spread.median.toFixed(spread.median < 10 ? 1 : 0),
      'text-anchor="middle" font-size="9" fill="#333333"',
    ),
  ].join("\n");
}

function text(x: number, y: number, content: string, attributes = ""): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${escaped}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
