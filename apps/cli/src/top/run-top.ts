import { setTimeout as sleep } from "node:timers/promises";
import type { MasterClient } from "@nodepass/master-client";
import type { CliContext } from "../context.ts";
import { printData, stdoutStyle } from "../output/print.ts";
import { toJson } from "../output/show-instance.ts";
import { openMaster } from "../remote/open-master.ts";
import type { RemoteOptions } from "../remote/remote-options.ts";
import { toSignal } from "../watch/follow-until-stopped.ts";
import { createInstanceBoard, type SortOrder, sortOrders } from "./instance-board.ts";
import { openScreen } from "./screen.ts";
import { layOutScreen, layOutSnapshot, sumUp, visibleRows } from "./top-page.ts";
import { type NewsSource, watchInstances } from "./watch-instances.ts";

/** How `nodepass top` is run. */
export interface RunTopOptions extends RemoteOptions {
  /** Time between two looks where events don't tell, ms. */
  readonly interval: number;
  readonly sort: SortOrder;
}

/** Time between two pages, ms. */
const pageIntervalMs = 1000;

/** Runs `nodepass top`: pages on a terminal until asked to stop, else one snapshot. */
export async function runTop(context: CliContext, options: RunTopOptions): Promise<void> {
  const { client, shown } = await openMaster(context, options);
  // Whatever is wrong with the master is said before the terminal is taken over.
  const first = await client.list();
  const board = createInstanceBoard();
  board.replace(first, performance.now());
  const { isTTY } = context.stdout;
  if (isTTY === true && context.environment.TERM !== "dumb" && options.json !== true) {
    await showPages(context, client, { ...options, board, shown });
    return;
  }
  await sleep(options.interval);
  board.replace(await client.list(), performance.now());
  const rows = board.rows(options.sort, performance.now());
  if (options.json === true) {
    const found = {
      master: client.origin,
      time: new Date().toISOString(),
      sums: sumUp(rows),
      instances: rows.map(({ instance, rates }) => ({
        ...Object(toJson(instance, {})),
        receivedPerSecond: rates.received ?? null,
        sentPerSecond: rates.sent ?? null,
      })),
    };
    await printData(context, found, options);
    return;
  }
  const page = { master: shown, rows, source: "snapshot", time: new Date() } as const;
  context.stdout.write(layOutSnapshot({ ...page, style: stdoutStyle(context) }));
}

async function showPages(
  context: CliContext,
  client: MasterClient,
  {
    board,
    interval,
    sort,
    shown,
  }: RunTopOptions & { board: ReturnType<typeof createInstanceBoard>; shown: string },
): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, toSignal(context.watchStop())]);
  const style = stdoutStyle(context);
  let source: NewsSource = "opening";
  let order = sort;
  let offset = 0;

  const draw = () => {
    const { width, height } = screen;
    const rows = board.rows(order, performance.now());
    offset = Math.max(0, Math.min(offset, rows.length - visibleRows(height)));
    const page = { master: shown, rows, source, time: new Date(), style };
    screen.draw(layOutScreen({ ...page, order, offset, width, height }));
  };
  const onKey = (key: string) => {
    const page = visibleRows(screen.height);
    // Ctrl-C and Ctrl-D come as characters while the terminal is ours.
    if (key === "q" || key === "Q" || key === "\x03" || key === "\x04") stop.abort();
    else if (key === "s") order = sortOrders[(sortOrders.indexOf(order) + 1) % 4] ?? order;
    else if (key === "\x0c") screen.invalidate();
    else offset += moves[key]?.(page) ?? 0;
    if (!signal.aborted) draw();
  };
  const screen = openScreen(context, { onKey, onResize: draw });
  const timer = setInterval(draw, pageIntervalMs);
  try {
    draw();
    await watchInstances(client, {
      board,
      signal,
      intervalMs: interval,
      onSource: (next) => {
        source = next;
        draw();
      },
    });
  } finally {
    clearInterval(timer);
    screen.close();
  }
}

/** Keys that scroll, by so many rows. */
const moves: Readonly<Record<string, (page: number) => number>> = {
  "\x1b[A": () => -1,
  "\x1bOA": () => -1,
  k: () => -1,
  "\x1b[B": () => 1,
  "\x1bOB": () => 1,
  j: () => 1,
  "\x1b[5~": (page) => -page,
  "\x1b[6~": (page) => page,
  " ": (page) => page,
  g: () => Number.NEGATIVE_INFINITY,
  G: () => Number.MAX_SAFE_INTEGER,
};
