import { MasterClientError } from "@nodepass/master-client";
import { HISTORY_RANGES, type HistoryRange, type InstanceHistory } from "@nodepass/model";
import { useEffect, useState } from "preact/hooks";
import type { Master } from "./master.ts";

/** A history as it is known: `unknown` to masters before ours. */
export type History = InstanceHistory | "loading" | "unknown";

/** Follows the history of an instance: it is asked for again as often as it has another step. */
export function useHistory(master: Master, id: string, range: HistoryRange): History {
  const [history, setHistory] = useState<History>("loading");
  const isLive = master.state.value === "live";
  useEffect(() => {
    setHistory("loading");
    let isGone = false;
    const load = async (): Promise<void> => {
      if (document.hidden) return;
      try {
        const told = await master.client.history(id, range);
        if (!isGone) setHistory(told);
      } catch (error) {
        const isUnknown = error instanceof MasterClientError && error.status === 404;
        // Else the master is away, which is said elsewhere.
        if (!isGone && isUnknown) setHistory("unknown");
      }
    };
    if (!isLive) return undefined;
    void load();
    const timer = setInterval(() => void load(), HISTORY_RANGES[range].stepSeconds * 1000);
    const seen = (): void => void load();
    document.addEventListener("visibilitychange", seen);
    return () => {
      isGone = true;
      clearInterval(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [master, id, range, isLive]);
  return history;
}

/** The beginnings of a history's steps, seconds since 1970. */
export function timesOf({ start, step, rx }: InstanceHistory): number[] {
  const first = Date.parse(start) / 1000;
  return rx.map((_value, at) => first + at * step);
}
