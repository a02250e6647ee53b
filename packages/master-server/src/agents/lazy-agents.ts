import { join } from "node:path";
import type { AgentHandler } from "@nodepass/master-api";
import type { Logger } from "@nodepass/model";
import type { MasterSettings } from "@nodepass/url-config";

/** What agents are told of and given. */
export interface LazyAgentsOptions {
  readonly settings: MasterSettings;
  readonly stateDirectory: string;
  readonly version: string;
  readonly logger: Logger;
}

/** Where NodePass 2 has it: beside the state. */
const EXPORT_FILE = "nodepass.json";

/**
 * Answers agents by `@nodepass/mcp`, which is loaded when the first of them asks: it takes tens of MB
 * that most masters never need.
 */
export function createLazyAgents(options: LazyAgentsOptions): AgentHandler {
  const { settings, stateDirectory, version, logger } = options;
  const load = async (): Promise<AgentHandler> => {
    const { createExportFile, createMcpEndpoint } = await import("@nodepass/mcp");
    return createMcpEndpoint({
      prefix: settings.prefix,
      readOnly: settings.mcp === 2,
      exportFile: createExportFile(join(stateDirectory, EXPORT_FILE)),
      version,
      logger,
    });
  };
  let loading: Promise<AgentHandler> | undefined;
  return async (asked) => {
    loading ??= load();
    return (await loading)(asked);
  };
}
