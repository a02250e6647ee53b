import type { Tool as ToolDescription } from "@modelcontextprotocol/server";
import type { MasterClient } from "@nodepass/master-client";
import { z } from "zod";
import type { ExportFile } from "../exports/export-file.ts";
import { readArguments } from "./read-arguments.ts";

/** What tools work with. */
export interface ToolContext {
  readonly client: MasterClient;
  readonly exportFile: ExportFile;
  /** Who asked is gone: waits end. */
  readonly signal: AbortSignal;
}

/** What a tool does to the master, for hosts that ask people before some calls. */
export interface ToolEffect {
  /** Changes nothing. */
  readonly reads?: true | undefined;
  /** May cut connections, or overwrite what was there. */
  readonly destroys?: true | undefined;
  /** A second call with the same arguments does nothing more. */
  readonly repeatable?: true | undefined;
  /** Goes to addresses that the arguments name. */
  readonly reachesOut?: true | undefined;
  /** A key that may only read does not open it. */
  readonly needsFullKey?: true | undefined;
}

/** A tool as its author writes it. */
export interface ToolDefinition<Input extends z.ZodObject, Output extends z.ZodObject> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly effect: ToolEffect;
  readonly input: Input;
  readonly output: Output;
  run(args: z.output<Input>, context: ToolContext): Promise<z.input<Output>>;
}

/** A tool as agents see it and call it. */
export interface Tool {
  readonly description: ToolDescription;
  readonly effect: ToolEffect;
  /**
   * @param args as they came
   * @returns the structured result
   * @throws {McpError} `INVALID`, naming every argument that is wrong and what is allowed
   */
  call(args: unknown, context: ToolContext): Promise<Readonly<Record<string, unknown>>>;
}

/** Makes a tool; its schemas are translated once. */
export function defineTool<Input extends z.ZodObject, Output extends z.ZodObject>({
  name,
  title,
  description,
  effect,
  input,
  output,
  run,
}: ToolDefinition<Input, Output>): Tool {
  return {
    effect,
    description: {
      name,
      title,
      description,
      inputSchema: toJsonSchema(input, "input"),
      outputSchema: toJsonSchema(output, "input"),
      annotations: {
        title,
        readOnlyHint: effect.reads === true,
        destructiveHint: effect.destroys === true,
        idempotentHint: effect.reads === true || effect.repeatable === true,
        openWorldHint: effect.reachesOut === true,
      },
    },
    call: (args, context) => run(readArguments(name, input, args), context),
  };
}

/** The protocol takes 2020-12 for granted, so that the dialect need not be named. */
function toJsonSchema(schema: z.ZodObject, io: "input" | "output"): ToolDescription["inputSchema"] {
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, { io });
  // Of an object, so it says so.
  return { ...json, type: "object" } as ToolDescription["inputSchema"];
}
