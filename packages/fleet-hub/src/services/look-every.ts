import type { Logger } from "@nodepass/model";
import type { ServiceParts } from "./service-operations.ts";

/** What is looked at again and again. */
export interface LookOptions {
  /** For the log of a look that fails. */
  readonly what: string;
  /** Time between two looks, ms. */
  readonly everyMs: number;
  readonly look: () => Promise<void>;
  readonly clock: Pick<ServiceParts["clock"], "after">;
  readonly logger: Logger;
}

/** Looks at once and then every so often, never twice at a time; after one that fails the next comes as planned. */
export function lookEvery(options: LookOptions): { start(): void; stop(): void } {
  const { what, everyMs, look, clock, logger } = options;
  let cancel: (() => void) | undefined;
  let busy = false;
  const start = (): void => {
    if (!busy) {
      busy = true;
      void look()
        .catch((error: unknown) => {
          const reason = error instanceof Error ? error.message : String(error);
          logger.error({ reason, what }, "stopped short, tried again");
        })
        .finally(() => {
          busy = false;
        });
    }
    cancel = clock.after(everyMs, start);
  };
  return { start, stop: () => cancel?.() };
}
