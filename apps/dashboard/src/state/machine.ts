import { useEffect, useState } from "preact/hooks";
import type { Master, MasterFacts } from "./master.ts";

/** How a machine was at one moment. */
export interface MachineSample {
  /** Seconds since 1970. */
  readonly time: number;
  /** Per cent; `null` where it is not told. */
  readonly cpu: number | null;
  /** Bytes. */
  readonly memory: number | null;
  /** Bytes/s. */
  readonly received: number | null;
  readonly sent: number | null;
  readonly read: number | null;
  readonly written: number | null;
}

const PERIOD_MS = 2000;
/** Ten minutes. */
const MOST_SAMPLES = 300;

/** A number among what a master says of itself. */
export function numberOf(facts: MasterFacts, name: string): number | undefined {
  const value = facts[name];
  return typeof value === "number" && value >= 0 ? value : undefined;
}

/** Looks at a master's machine while it is shown. */
export function useMachine(master: Master): readonly MachineSample[] {
  const [samples, setSamples] = useState<readonly MachineSample[]>([]);
  const isLive = master.state.value === "live";
  useEffect(() => {
    if (!isLive) return undefined;
    let before: { readonly facts: MasterFacts; readonly at: number } | undefined;
    const look = async (): Promise<void> => {
      if (document.hidden) return;
      try {
        await master.refreshFacts();
      } catch {
        // It is away: that is said elsewhere.
        return;
      }
      const facts = master.facts.peek();
      const at = performance.now();
      const last = before;
      before = { facts, at };
      if (last === undefined) return;
      const rate = (name: string): number | null => {
        const [one, other] = [numberOf(last.facts, name), numberOf(facts, name)];
        if (one === undefined || other === undefined || other < one) return null;
        return ((other - one) * 1000) / (at - last.at);
      };
      const sample: MachineSample = {
        time: Date.now() / 1000,
        cpu: numberOf(facts, "cpu") ?? null,
        memory: numberOf(facts, "mem_used") ?? null,
        received: rate("netrx"),
        sent: rate("nettx"),
        read: rate("diskr"),
        written: rate("diskw"),
      };
      setSamples((all) => [...all.slice(1 - MOST_SAMPLES), sample]);
    };
    void look();
    const timer = setInterval(() => void look(), PERIOD_MS);
    return () => clearInterval(timer);
  }, [master, isLive]);
  return samples;
}
