import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import { readVersion } from "../version.ts";

/** Adds `nodepass version`: of the command and of what it runs on. */
export function addVersionCommand(program: Command, context: CliContext): void {
  program
    .command("version")
    .description("print the versions of this command and of its Node.js")
    .option("--json", "print JSON")
    .action(({ json }: { readonly json?: boolean }) => {
      const { version: node, platform, arch } = process;
      const version = readVersion();
      context.stdout.write(
        json === true
          ? `${JSON.stringify({ version, node: node.slice(1), platform, arch }, undefined, 2)}\n`
          : `nodepass ${version}, Node.js ${node.slice(1)}, ${platform} ${arch}\n`,
      );
    });
}
