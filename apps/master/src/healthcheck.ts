// Asks the master of this container or host whether it answers: exit code 0 or 1. It reads
// NP_MASTER_URL as the master does.
import { parseMasterUrl } from "@nodepass/url-config";
import { defaultUrl } from "./arguments.ts";
import { errorText } from "./error-text.ts";
import { probe } from "./probe.ts";

const url = process.argv[2] ?? process.env.NP_MASTER_URL ?? "";

try {
  await probe(parseMasterUrl(url === "" ? defaultUrl : url));
} catch (error) {
  process.stderr.write(`unhealthy: ${errorText(error)}\n`);
  process.exitCode = 1;
}
