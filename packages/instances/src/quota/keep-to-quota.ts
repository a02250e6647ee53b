import type { LogFields, LogLineLevel } from "@nodepass/model";
import type { OperationQueue } from "../operation-queue.ts";
import type { QuotaHooks, QuotaMeter } from "./quota-meter.ts";

/** The instance whose traffic is counted. */
export interface QuotaHolder {
  readonly removed: boolean;
  readonly record: { readonly running: boolean };
  readonly life: { readonly isActive: boolean };
  readonly operations: OperationQueue;
  begin(): void;
  end(timeoutMs: number, reason: string): Promise<void>;
  log(level: LogLineLevel, message: string, fields: LogFields): void;
}

/**
 * What an instance does as its quota is used: warns, stops, and begins again with the next period.
 *
 * @param meter the instance's own; `undefined` once its URL has no quota
 * @param onChange the view of the instance is another one, and is to be saved
 */
export function keepToQuota(
  holder: QuotaHolder,
  meter: () => QuotaMeter | undefined,
  onChange: () => void,
): QuotaHooks {
  const missed = (what: string, error: unknown): void => {
    const reason = error instanceof Error ? error.message : String(error);
    holder.log("error", `instance ${what}`, { reason });
  };
  return {
    onWarning: (percent) => {
      const { used, limit } = meter()?.view ?? {};
      holder.log("warn", `${percent} % of the quota is used`, { used, limit });
      onChange();
    },
    onUsedUp: (reason) => {
      holder.log("error", "quota is used up: the instance stops", { reason });
      onChange();
      if (!holder.life.isActive) return;
      // Cuts what is open: it would go on using what there is no more of.
      const stopped = holder.operations.run(async () => {
        if (!holder.removed && meter()?.usedUp !== undefined) await holder.end(0, reason);
      });
      void stopped.catch((error: unknown) => missed("not stopped", error));
    },
    onReset: (wasUsedUp) => {
      holder.log("info", "quota begins anew", {});
      onChange();
      if (!wasUsedUp || !holder.record.running) return;
      const again = holder.operations.run(async () => {
        // Stopped or removed by somebody meanwhile.
        if (!holder.removed && holder.record.running && !holder.life.isActive) holder.begin();
      });
      void again.catch((error: unknown) => missed("not started again", error));
    },
  };
}
