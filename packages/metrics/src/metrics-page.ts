import type { LatencyHistogram } from "@nodepass/model";

/** The `Content-Type` of a page. */
export const METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Labels of a series, by name. */
export type Labels = Readonly<Record<string, string>>;

/**
 * A page of metrics, written from first to last: a family, then its series. The values are others'
 * (threads', tables'), so there is nothing to register and nothing to keep between two pages.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
export class MetricsPage {
  #text = "";
  #name = "";

  /** Begins a metric; what follows is its series. A name is begun once. */
  family(name: string, type: "counter" | "gauge" | "histogram", help: string): void {
    this.#name = name;
    this.#text += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
  }

  /** @param labels as `formatLabels` writes them */
  series(labels: string, value: number): void {
    this.#text += `${this.#name}${braced(labels)} ${format(value)}\n`;
  }

  /** The series of a histogram, in seconds. */
  histogram(labels: string, { boundsMs, counts, sumMs }: LatencyHistogram): void {
    const name = this.#name;
    const before = labels === "" ? "" : `${labels},`;
    let total = 0;
    for (let at = 0; at < boundsMs.length; at++) {
      total += counts[at] ?? 0;
      this.#text += `${name}_bucket{${before}le="${(boundsMs[at] ?? 0) / 1000}"} ${total}\n`;
    }
    total += counts[boundsMs.length] ?? 0;
    this.#text += `${name}_bucket{${before}le="+Inf"} ${total}\n${name}_sum${braced(labels)} ${format(sumMs / 1000)}\n${name}_count${braced(labels)} ${total}\n`;
  }

  toString(): string {
    return this.#text;
  }
}

/** Writes labels, values escaped: `a="b",c="d"`. */
export function formatLabels(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/["\\\n]/g, escapeLabel)}"`)
    .join(",");
}

function escapeLabel(character: string): string {
  return character === "\n" ? "\\n" : `\\${character}`;
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function braced(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

function format(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}
