// Asks the master of this container or host whether it answers: exit code 0 or 1. It reads
// NP_CONFIG and NP_MASTER_URL as the master does.
import { parseMasterUrl } from "@nodepass/url-config";
import { chooseUrl } from "./arguments.ts";
import { errorText } from "./error-text.ts";
import { probe } from "./probe.ts";

const { NP_CONFIG: config = "", NP_MASTER_URL: byVariable } = process.env;

async function urlOfFiles(): Promise<string | undefined> {
  if (config === "") return undefined;
  const { loadConfig } = await import("@nodepass/config-file");
  return loadConfig([config], { environment: process.env }).master?.url;
}

try {
  const given = process.argv[2];
  const described = given === undefined ? await urlOfFiles() : undefined;
  await probe(parseMasterUrl(chooseUrl(given, described, byVariable)));
} catch (error) {
  process.stderr.write(`unhealthy: ${errorText(error)}\n`);
  process.exitCode = 1;
}
