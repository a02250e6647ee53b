import { useEffect, useRef, useState } from "preact/hooks";
import { type LogLine, readLogLine } from "./log-lines.ts";
import type { Master } from "./master.ts";

/** Lines that are kept of one instance; older ones go. */
const MOST_LINES = 1000;
/** Lines that come fast are shown together, ms. */
const REDRAW_MS = 150;

/** The log of an instance: the lines that its master kept, then those that come. */
export function useLog(master: Master, id: string): readonly LogLine[] {
  const [lines, setLines] = useState<readonly LogLine[]>([]);
  const all = useRef<LogLine[]>([]);
  const isLive = master.state.value === "live";
  useEffect(() => {
    let isGone = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let number = 0;
    const add = (texts: readonly string[]): void => {
      for (const text of texts) {
        number += 1;
        all.current.push(readLogLine(text, number));
      }
      all.current = all.current.slice(-MOST_LINES);
      timer ??= setTimeout(() => {
        timer = undefined;
        setLines([...all.current]);
      }, REDRAW_MS);
    };
    all.current = [];
    /** What came while those of before were asked for: they have some of it already. */
    let meanwhile: string[] | undefined = [];
    const stop = master.listen(({ type, instance, logs }) => {
      if (type !== "log" || instance?.id !== id) return;
      if (meanwhile !== undefined) meanwhile.push(logs);
      else add([logs]);
    });
    const load = async (): Promise<void> => {
      let before: string[] = [];
      try {
        before = (await master.client.logs(id)).lines.map(({ line }) => line);
      } catch {
        // Masters before ours keep none: those that come are shown.
      }
      if (isGone) return;
      const known = new Set(before);
      add([...before, ...(meanwhile ?? []).filter((line) => !known.has(line))]);
      meanwhile = undefined;
    };
    if (isLive) void load();
    return () => {
      isGone = true;
      clearTimeout(timer);
      stop();
    };
  }, [master, id, isLive]);
  return lines;
}
