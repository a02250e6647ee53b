import type { KeyAccess } from "@nodepass/model";
import { exportTools } from "./export-tools.ts";
import { lifeTools } from "./life-tools.ts";
import { readTools } from "./read-tools.ts";
import { settingTools } from "./setting-tools.ts";
import type { Tool } from "./tool.ts";

/** Every tool by its name. */
export const ALL_TOOLS: ReadonlyMap<string, Tool> = new Map(
  [...readTools, ...lifeTools, ...settingTools, ...exportTools].map((tool) => [
    tool.description.name,
    tool,
  ]),
);

/** What narrows the tools. */
export interface ToolLimits {
  /** What the key may do. */
  readonly access: KeyAccess;
  /** Offer nothing that changes anything, whatever the key may do. */
  readonly readOnly: boolean;
}

/** Whether a tool is offered. */
export function isOffered({ effect }: Tool, { access, readOnly }: ToolLimits): boolean {
  if (access === "read" && effect.needsFullKey === true) return false;
  return effect.reads === true || (access === "full" && !readOnly);
}
