import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";
import { helpText, readArguments } from "./arguments.ts";
import { errorText } from "./error-text.ts";

/** Exit codes; the help says them too. */
const failure = 1;
const wrongUsage = 2;

/** How long what is left open may hold up the end, ms. */
const lingerMs = 1000;

/** Runs the command in this process: the only place that takes the process for what it is. */
export async function main(): Promise<void> {
  process.on("uncaughtException", (error) => {
    process.stderr.write(`nodepass-master: unexpected error: ${errorText(error)}\n`);
    process.exit(failure);
  });
  // A master outlives the reader of its log (a closed terminal, a pager that has quit).
  process.stdout.on("error", () => undefined);
  process.stderr.on("error", () => undefined);
  process.exitCode = await run().catch((error: unknown) => {
    process.stderr.write(`nodepass-master: ${errorText(error)}\n`);
    return failure;
  });
  setTimeout(() => process.exit(), lingerMs).unref();
}

async function run(): Promise<number> {
  const request = readArguments(process.argv.slice(2), process.env.NP_CONFIG);
  switch (request.kind) {
    case "help":
      process.stdout.write(helpText);
      return 0;
    case "version":
      process.stdout.write(`${readVersion()}\n`);
      return 0;
    case "wrong usage":
      process.stderr.write(`nodepass-master: ${request.problem}\nTry 'nodepass-master --help'.\n`);
      return wrongUsage;
    case "renew key": {
      const { renewKey } = await import("./renew-key.ts");
      process.stdout.write(`${await renewKey(process.env, homedir(), process.stderr)}\n`);
      return 0;
    }
    case "leave fleet": {
      const { leaveFleet } = await import("./fleet.ts");
      const { stateDirectory } = await import("@nodepass/master-server");
      process.stdout.write(`${await leaveFleet(stateDirectory(process.env, homedir()))}\n`);
      return 0;
    }
    case "run": {
      // Loaded here: help and version need none of it.
      const { serve } = await import("./serve.ts");
      const { goStateFiles } = await import("@nodepass/master-server");
      return serve({
        url: request.url,
        configFiles: request.configFiles.map((path) => resolve(path)),
        logFormat: request.logFormat,
        importFile: request.importFile,
        fleet: request.fleet,
        goStateFiles: goStateFiles(process.argv[1], process.cwd()),
        variables: process.env,
        home: homedir(),
        version: readVersion(),
        stdout: process.stdout,
        stderr: process.stderr,
        signals: process,
      });
    }
  }
}

function readVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  const manifest: unknown = JSON.parse(text);
  return typeof manifest === "object" && manifest !== null && "version" in manifest
    ? String(manifest.version)
    : "unknown";
}
