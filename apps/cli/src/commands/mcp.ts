import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import type { McpCommandOptions } from "../mcp/serve-agent.ts";
import { addAskOptions } from "../remote/remote-options.ts";

const explanation = `
An agent's host starts this command and speaks the Model Context Protocol with it over standard input
and output. Masters of ours answer agents themselves, too: at /v2 under their prefix.
`;

/** Adds `mcp`: tools for agents. */
export function addMcpCommand(program: Command, context: CliContext): void {
  addAskOptions(
    program
      .command("mcp")
      .description("let an agent manage a master, over standard input and output"),
  )
    .option("--read-only", "offer only the tools that change nothing")
    .option(
      "--file <path>",
      "of export_instances and import_instances; else nodepass.json with the state",
    )
    .addHelpText("after", explanation)
    .action(async (options: McpCommandOptions) => {
      const { serveAgent } = await import("../mcp/serve-agent.ts");
      await serveAgent(context, options);
    });
}
