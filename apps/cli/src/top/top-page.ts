import type { RemoteInstance } from "@nodepass/master-client";
import type { Style } from "../output/colour.ts";
import { listColumns } from "../output/show-instance.ts";
import { formatTable, type TableColumn } from "../output/table.ts";
import { plainText } from "../output/terminal-text.ts";
import { formatRate } from "../output/units.ts";
import type { BoardRow, SortOrder } from "./instance-board.ts";
import type { NewsSource } from "./watch-instances.ts";

/** What a page shows. */
export interface TopPageOptions {
  readonly master: string;
  readonly rows: readonly BoardRow[];
  readonly source: NewsSource | "snapshot";
  readonly time: Date;
  readonly style: Style;
}

/** The part of a page that fits a terminal. */
export interface TopScreenOptions extends TopPageOptions {
  readonly order: SortOrder;
  /** First row that is shown. */
  readonly offset: number;
  readonly width: number;
  readonly height: number;
}

const sources: Readonly<Record<TopPageOptions["source"], string>> = {
  opening: "connecting",
  live: "live",
  polling: "asking now and then: no event stream",
  away: "no answer, trying again",
  snapshot: "snapshot",
};

/** Lines above and below the rows: head, sums, blank, titles, keys. */
const frameLines = 5;

/** How many instances fit. */
export function visibleRows(height: number): number {
  return Math.max(1, height - frameLines);
}

/** Lays out one screen: `height` lines at most, none meant to be wider than `width`. */
export function layOutScreen(options: TopScreenOptions): string[] {
  const { rows, order, offset, width, height, style } = options;
  const room = visibleRows(height);
  const shown = rows.slice(offset, offset + room);
  const rest =
    rows.length > room ? `  ${offset + 1}-${offset + shown.length} of ${rows.length}` : "";
  const keys = `q quit  s sorted by ${order}  up/down scroll${rest}`;
  const table = formatTable(topColumns(style), shown, { width, styleTitle: style.bold }).split(
    "\n",
  );
  const filler = Array.from({ length: room - shown.length }, () => "");
  return [...headLines(options), "", ...table, ...filler, style.dim(cut(keys, width))].slice(
    0,
    Math.max(1, height),
  );
}

/** Lays out all instances, for what is no terminal. */
export function layOutSnapshot(options: TopPageOptions): string {
  const table = formatTable(topColumns(options.style), options.rows);
  return [...headLines(options), "", table, ""].join("\n");
}

/** What all instances do together. */
export function sumUp(rows: readonly BoardRow[]) {
  const instances = rows.map(({ instance }) => instance);
  const count = (status: string) => instances.filter((each) => each.status === status).length;
  const sum = (read: (row: BoardRow) => number) => rows.reduce((all, row) => all + read(row), 0);
  return {
    instances: rows.length,
    running: count("running"),
    error: count("error"),
    stopped: count("stopped"),
    tcps: sum(({ instance }) => instance.tcps),
    udps: sum(({ instance }) => instance.udps),
    received: sum(({ rates }) => rates.received ?? 0),
    sent: sum(({ rates }) => rates.sent ?? 0),
  };
}

function headLines({ master, rows, source, time, style, ...size }: TopPageOptions): string[] {
  const width = "width" in size && typeof size.width === "number" ? size.width : undefined;
  const sums = sumUp(rows);
  const head = `nodepass top  ${plainText(master)}  ${clock(time)}  ${sources[source]}`;
  const line = [
    `${sums.instances} ${sums.instances === 1 ? "instance" : "instances"}: ${sums.running} running, ${sums.error} error, ${sums.stopped} stopped`,
    `in ${formatRate(sums.received)}  out ${formatRate(sums.sent)}`,
    `${sums.tcps} TCP  ${sums.udps} UDP`,
  ].join("   ");
  const paint = source === "away" ? style.red : style.bold;
  return [paint(cut(head, width)), cut(line, width)];
}

function topColumns(style: Style): TableColumn<BoardRow>[] {
  const wide = new Map(listColumns(style, {}).map((column) => [column.title, column]));
  const of = (title: string, dropOrder?: number): TableColumn<BoardRow>[] => {
    const column = wide.get(title);
    if (column === undefined) return [];
    return [{ ...column, dropOrder, cell: ({ instance }) => column.cell(instance) }];
  };
  const name = ({ id, alias }: RemoteInstance) => plainText(alias || id);
  return [
    { title: "INSTANCE", cell: ({ instance }) => name(instance).slice(0, 24) },
    ...of("TYPE", 3),
    ...of("STATUS"),
    { title: "IN", cell: ({ rates }) => formatRate(rates.received), align: "right" },
    { title: "OUT", cell: ({ rates }) => formatRate(rates.sent), align: "right" },
    ...of("TCP"),
    ...of("UDP", 6),
    ...of("POOL", 7),
    ...of("PING", 8),
    ...of("RX", 4),
    ...of("TX", 5),
    ...of("NOTE", 2),
    ...of("URL", 1),
  ];
}

function clock(time: Date): string {
  return time.toTimeString().slice(0, 8);
}

function cut(text: string, width: number | undefined): string {
  return width === undefined || text.length <= width
    ? text
    : `${text.slice(0, Math.max(0, width - 1))}…`;
}
