import { formatBytes, formatNumber, formatRate } from "../../format/units.ts";
import { texts } from "../../i18n/index.ts";
import { Chart } from "../../parts/chart.tsx";
import { type MachineSample, useMachine } from "../../state/machine.ts";
import type { Master } from "../../state/master.ts";

/** CPU, memory, network and disk of a master's machine, while one looks. */
export function Machine({ master }: { readonly master: Master }) {
  const t = texts();
  const samples = useMachine(master);
  const times = samples.map(({ time }) => time);
  const line = (label: string, colour: string, name: Exclude<keyof MachineSample, "time">) => ({
    label,
    colour,
    values: samples.map((sample) => sample[name]),
  });
  const share = (value: number): string => `${formatNumber(value)} %`;
  const charts = [
    { name: t.machine.cpu, series: [line(t.machine.cpu, "--down", "cpu")], format: share },
    {
      name: t.machine.memory,
      series: [line(t.machine.memory, "--down", "memory")],
      format: formatBytes,
    },
    {
      name: t.machine.network,
      series: [
        line(t.machine.received, "--down", "received"),
        line(t.machine.sent, "--up", "sent"),
      ],
      format: formatRate,
    },
    {
      name: t.machine.disk,
      series: [line(t.machine.read, "--down", "read"), line(t.machine.written, "--up", "written")],
      format: formatRate,
    },
  ];
  return (
    <section class="block" aria-labelledby="machine-title">
      <h2 id="machine-title">{t.machine.title}</h2>
      {samples.length < 2 ? (
        <p class="dim">{t.machine.measuring}</p>
      ) : (
        <div class="charts">
          {charts.map(({ name, series, format }) => (
            <figure key={name}>
              <figcaption>{name}</figcaption>
              <Chart label={name} times={times} series={series} format={format} height={132} />
            </figure>
          ))}
        </div>
      )}
    </section>
  );
}
