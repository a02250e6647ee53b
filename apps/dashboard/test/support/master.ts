import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMasterClient, type MasterClient, parseMasterAddress } from "@nodepass/master-client";
import { type RunMasterOptions, type RunningMaster, runMaster } from "@nodepass/master-server";
import { parseMasterUrl } from "@nodepass/url-config";
import { onTestFinished } from "vitest";

/** The built files; of all else the tests run the sources. */
export const built = new URL("../../dist/site/", import.meta.url);

/** A master in this process that serves the dashboard. */
export interface TestMaster {
  readonly master: RunningMaster;
  readonly client: MasterClient;
  /** Where the dashboard is, with a slash at its end. */
  readonly site: string;
  readonly stateDirectory: string;
}

export interface TestMasterOptions extends Omit<Partial<RunMasterOptions>, "settings"> {
  /** @default "master://127.0.0.1:0" */
  readonly url?: string;
}

/** A folder that is gone when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "np-dashboard-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts a master on a free port of loopback; it is closed when the test ends. */
export async function startMaster(options: TestMasterOptions = {}): Promise<TestMaster> {
  const { url = "master://127.0.0.1:0?log=warn", ...others } = options;
  const stateDirectory = options.stateDirectory ?? temporaryFolder();
  const master = await runMaster({
    workers: 1,
    version: "1.2.3",
    dashboard: built,
    ...others,
    settings: parseMasterUrl(url),
    stateDirectory,
  });
  onTestFinished(() => master.close({ timeoutMs: 1000 }));
  const client = createMasterClient({
    address: parseMasterAddress(master.url),
    key: master.apiKey,
  });
  return { master, client, site: new URL("/", master.url).href, stateDirectory };
}
