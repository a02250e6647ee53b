import type { Clock } from "@nodepass/master-api";
import type { Logger } from "@nodepass/model";
import type { EngineControl, EngineFacts } from "../engine/engine-control.ts";
import type { EngineLink } from "../engine/engine-link.ts";
import type { LiveNews } from "./fleet-news.ts";

const RETRY_MS = 3000;

/** What is against the engine: nothing is stored while there is something. */
export interface EngineTrust {
  problem: string | undefined;
}

/** The engine, as it is seen now. */
export interface EngineWatch {
  facts(): EngineFacts;
  /** Who is told from now on, and at once if there is something against it. */
  tellTo(news: Pick<LiveNews, "alarm">): void;
  close(): void;
}

/**
 * Raises `engine` while it is gone, and asks it anew what it is whenever it is back: till it has said so
 * it is not trusted. It is watched from the first connection on: what a hub reads then takes its time.
 */
export function watchEngine(options: {
  readonly link: Pick<EngineLink, "isConnected" | "onChange">;
  readonly system: Pick<EngineLink, "isConnected" | "onChange">;
  readonly control: Pick<EngineControl, "check">;
  readonly first: EngineFacts;
  /** Kept up to date. */
  readonly trust: EngineTrust;
  readonly clock: Clock;
  readonly logger: Logger;
}): EngineWatch {
  const { link, system, control, trust, clock, logger } = options;
  let news: Pick<LiveNews, "alarm"> | undefined;
  let facts = options.first;
  let cancel = (): void => undefined;
  const check = async () => {
    try {
      facts = await control.check();
      trust.problem = undefined;
      if (link.isConnected()) news?.alarm("engine", false, "the engine is there again");
    } catch (error) {
      const why = error instanceof Error ? error.message : "it does not tell what it is";
      // Another server than the one that was asked at first: what it takes could be lost.
      if (trust.problem !== why) logger.error({ why }, "the engine is not what it was");
      trust.problem = why;
      news?.alarm("engine", true, why);
      // It may only be about to begin; one that was replaced stays an alarm till it is put right.
      cancel();
      cancel = clock.after(RETRY_MS, () => {
        if (link.isConnected() && system.isConnected()) void check();
      });
    }
  };
  const stops = [
    link.onChange((connected) => {
      trust.problem = "the engine has not said yet what it is";
      if (!connected) news?.alarm("engine", true, "the engine can't be reached");
      else if (system.isConnected()) void check();
    }),
    system.onChange((connected) => {
      if (connected && link.isConnected()) void check();
    }),
  ];
  return {
    facts: () => facts,
    tellTo: (given) => {
      news = given;
      if (trust.problem !== undefined) given.alarm("engine", true, trust.problem);
    },
    close: () => {
      cancel();
      for (const stop of stops) stop();
    },
  };
}
