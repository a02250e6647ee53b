// biome-ignore-all lint/a11y/useSemanticElements: laid out as grids, table elements lose their roles
// biome-ignore-all lint/a11y/useFocusableInteractive: a table is read, not focused; its links and boxes are
import { formatBytes, formatNumber, formatRate } from "../../format/units.ts";
import { texts } from "../../i18n/index.ts";
import { GuardedButton } from "../../parts/guarded-button.tsx";
import { Icon } from "../../parts/icon.tsx";
import { Sparkline } from "../../parts/sparkline.tsx";
import { hrefOf } from "../../router.ts";
import { actOn, nameOf } from "../../state/actions.ts";
import { flowOf, routeOf } from "../../state/flow.ts";
import type { Master } from "../../state/master.ts";
import type { Row } from "../../state/rows.ts";
import { conditionOf } from "../../state/status.ts";
import { type Column, selected, shownColumns, toggleSelected } from "../../state/tunnel-list.ts";
import { whyNotChange } from "../../state/why-not-change.ts";
import { StatusText } from "./status-text.tsx";
import { TunnelMenu } from "./tunnel-menu.tsx";

export interface TunnelRowProps {
  readonly master: Master;
  readonly row: Row;
  /** Of the whole table, counted from 1. */
  readonly index: number;
}

/** One instance. */
export function TunnelRow({ master, row, index }: TunnelRowProps) {
  const t = texts();
  const { instance } = row;
  const { id, tags } = instance;
  const name = nameOf(instance);
  const isSelected = selected.value.has(id);
  const isStopped = conditionOf(instance) === "stopped";
  const shownTags = Object.entries(tags).filter(([tag]) => !tag.startsWith("nodepass."));
  return (
    <div class={`row ${isSelected ? "selected" : ""}`} role="row" aria-rowindex={index}>
      <div role="cell" class="cell-check">
        <input
          type="checkbox"
          aria-label={t.tunnels.select(name)}
          checked={isSelected}
          onChange={() => toggleSelected(id)}
        />
      </div>
      <div role="cell" class="cell-name">
        <a class="row-link cut" href={hrefOf({ name: "tunnel", id })} title={id}>
          {name}
        </a>
        {shownTags.length === 0 ? null : (
          <span class="row-tags cut">
            {shownTags.map(([tag, value]) => (value === "" ? tag : `${tag}: ${value}`)).join(" · ")}
          </span>
        )}
      </div>
      {shownColumns.value.map((column) => (
        <div key={column} role="cell" class={`cell-${column}`}>
          <Cell column={column} row={row} />
        </div>
      ))}
      <div role="cell" class="cell-menu">
        <GuardedButton
          why={whyNotChange(master)}
          class="ghost"
          label={`${isStopped ? t.actions.start : t.actions.stop}: ${name}`}
          onClick={() => void actOn(master, [instance], isStopped ? "start" : "stop")}
        >
          <Icon name={isStopped ? "play" : "stop"} />
        </GuardedButton>
        <TunnelMenu master={master} instance={instance} />
      </div>
    </div>
  );
}

function Cell({ column, row }: { readonly column: Column; readonly row: Row }) {
  const { instance } = row;
  const isRunning = instance.status === "running";
  switch (column) {
    case "status":
      return <StatusText instance={instance} />;
    case "kind":
      return <KindText row={row} />;
    case "route":
      return <RouteText row={row} />;
    case "rate":
      return (
        <span class="rates">
          <Sparkline values={row.spark} />
          <span class="rate down">{formatRate(row.received)}</span>
          <span class="rate up">{formatRate(row.sent)}</span>
        </span>
      );
    case "connections":
      return <>{isRunning ? formatNumber(instance.tcps + instance.udps) : "–"}</>;
    case "pool":
      return <>{isRunning && instance.link !== "none" ? formatNumber(instance.pool) : "–"}</>;
    case "ping":
      return <>{instance.link === "up" ? `${formatNumber(instance.ping)} ms` : "–"}</>;
    case "total":
      return <>{formatBytes(instance.tcprx + instance.udprx + instance.tcptx + instance.udptx)}</>;
  }
}

function KindText({ row: { instance } }: { readonly row: Row }) {
  const t = texts();
  const flow = flowOf(instance);
  return <span class="cut">{flow === undefined ? instance.type : t.kinds[flow.kind]}</span>;
}

function RouteText({ row: { instance } }: { readonly row: Row }) {
  const t = texts();
  const flow = flowOf(instance);
  if (flow === undefined) return <span class="mono cut">{instance.url}</span>;
  const [from, to] = routeOf(flow);
  return (
    <span class="route mono" title={`${t.kinds[flow.kind]}: ${from} → ${to}`}>
      <span class="cut">{from}</span>
      <span class="arrow" aria-hidden="true">
        {flow.kind === "entry" ? "⇢" : flow.kind === "client" ? "⇄" : "→"}
      </span>
      <span class="sr">{t.tunnels.to}</span>
      <span class="cut">{to}</span>
    </span>
  );
}

/** The heading of a group. */
export function GroupRow({
  name,
  count,
  index,
}: {
  readonly name: string;
  readonly count: number;
  readonly index: number;
}) {
  const t = texts();
  const words: Readonly<Record<string, string>> = { ...t.conditions, ...t.kinds };
  return (
    <div class="row group" role="row" aria-rowindex={index}>
      <div role="cell">
        <strong>{name === "" ? t.tunnels.noGroup : (words[name] ?? name)}</strong>{" "}
        <span class="dim">{formatNumber(count)}</span>
      </div>
    </div>
  );
}
