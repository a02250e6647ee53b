import { HISTORY_RANGE_NAMES, type InstanceHistory } from "@nodepass/model";
import { formatNumber, formatRate } from "../../format/units.ts";
import { texts } from "../../i18n/index.ts";
import { Chart, type ChartSeries } from "../../parts/chart.tsx";
import { timesOf, useHistory } from "../../state/history.ts";
import type { Master } from "../../state/master.ts";
import { isOneOf, preference } from "../../state/preferences.ts";

const range = preference("range", "hour", isOneOf(HISTORY_RANGE_NAMES));

/** Traffic, connections, pool and ping of an instance over time. */
export function Charts({ master, id }: { readonly master: Master; readonly id: string }) {
  const t = texts();
  const history = useHistory(master, id, range.value);
  return (
    <section class="block" aria-labelledby="charts-title">
      <div class="block-head">
        <h2 id="charts-title">{t.tunnel.charts}</h2>
        <div class="segments" role="radiogroup" aria-labelledby="charts-title">
          {HISTORY_RANGE_NAMES.map((each) => (
            <label key={each}>
              <input
                type="radio"
                name="range"
                checked={range.value === each}
                onChange={() => {
                  range.value = each;
                }}
              />
              <span>{t.ranges[each]}</span>
            </label>
          ))}
        </div>
      </div>
      {history === "loading" ? (
        <p class="dim">{t.loading}</p>
      ) : history === "unknown" ? (
        <p class="dim">{t.tunnel.noHistory}</p>
      ) : (
        <ChartGrid history={history} />
      )}
    </section>
  );
}

function ChartGrid({ history }: { readonly history: InstanceHistory }) {
  const t = texts();
  const times = timesOf(history);
  const line = (
    name: "rx" | "tx" | "tcps" | "udps" | "pool" | "ping",
    colour: string,
  ): ChartSeries => ({ label: t.series[name], colour, values: history[name] });
  const count = (value: number): string => formatNumber(value);
  const ms = (value: number): string => `${formatNumber(value)} ms`;
  const charts = [
    { name: "traffic", series: [line("rx", "--down"), line("tx", "--up")], format: formatRate },
    { name: "connections", series: [line("tcps", "--down"), line("udps", "--up")], format: count },
    { name: "pool", series: [line("pool", "--down")], format: count },
    { name: "ping", series: [line("ping", "--down")], format: ms },
  ] as const;
  return (
    <div class="charts">
      {charts.map(({ name, series, format }) => (
        <figure key={name}>
          <figcaption>{t.chartNames[name]}</figcaption>
          <Chart
            label={`${t.chartNames[name]}: ${series.map((each) => `${each.label} ${last(each, format)}`).join(", ")}`}
            times={times}
            series={series}
            format={format}
          />
        </figure>
      ))}
    </div>
  );
}

function last({ values }: ChartSeries, format: (value: number) => string): string {
  const value = values.findLast((each) => each !== null);
  return value === undefined || value === null ? "–" : format(value);
}
