import type { MasterSettings } from "@nodepass/url-config";
import { CliError } from "../exit-code.ts";

/** Runs a master until it is asked to stop. */
export async function runMaster(_settings: MasterSettings): Promise<void> {
  throw new CliError("master:// is not part of this build");
}
