import type { Logger } from "@nodepass/model";
import type { EngineControl, EngineFacts } from "../engine/engine-control.ts";
import type { EngineLink } from "../engine/engine-link.ts";
import type { LiveNews } from "./fleet-news.ts";

/** Raises `engine` while it is gone, and asks it anew what it is whenever it is back. */
export function watchEngine(options: {
  readonly link: EngineLink;
  readonly system: EngineLink;
  readonly control: EngineControl;
  readonly news: LiveNews;
  readonly first: EngineFacts;
  readonly logger: Logger;
}): { readonly facts: () => EngineFacts; readonly close: () => void } {
  const { link, system, control, news, logger } = options;
  let facts = options.first;
  const check = async () => {
    try {
      facts = await control.check();
      if (link.isConnected()) news.alarm("engine", false, "the engine is there again");
    } catch (error) {
      const why = error instanceof Error ? error.message : "it does not tell what it is";
      // Another server than the one that was asked at first: what it takes could be lost.
      logger.error({ why }, "the engine was changed");
      news.alarm("engine", true, why);
    }
  };
  const stops = [
    link.onChange((connected) => {
      if (!connected) news.alarm("engine", true, "the engine can't be reached");
      else if (system.isConnected()) void check();
    }),
    system.onChange((connected) => {
      if (connected && link.isConnected()) void check();
    }),
  ];
  return {
    facts: () => facts,
    close: () => {
      for (const stop of stops) stop();
    },
  };
}
