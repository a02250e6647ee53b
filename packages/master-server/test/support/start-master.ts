import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger } from "@nodepass/logging";
import {
  DEFAULT_ENVIRONMENT,
  type EnvironmentSettings,
  parseMasterUrl,
} from "@nodepass/url-config";
import { onTestFinished } from "vitest";
import { type RunMasterOptions, type RunningMaster, runMaster } from "../../src/index.ts";
import { type ApiClient, createApiClient } from "./api-client.ts";

/** A master in this process, and a client with its key. */
export interface TestMaster {
  readonly master: RunningMaster;
  readonly api: ApiClient;
  readonly stateDirectory: string;
  /** What it has logged so far. */
  readonly log: () => string;
}

export interface TestMasterOptions
  extends Omit<Partial<RunMasterOptions>, "settings" | "environment"> {
  /** @default "master://127.0.0.1:0?log=debug" */
  readonly url?: string | undefined;
  readonly environment?: Partial<EnvironmentSettings> | undefined;
}

/** A folder that is gone when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "np-master-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts a master on a free port of loopback; it is closed when the test ends. */
export async function startMaster(options: TestMasterOptions = {}): Promise<TestMaster> {
  const { url = "master://127.0.0.1:0?log=debug", environment, ...others } = options;
  const stateDirectory = options.stateDirectory ?? temporaryFolder();
  const settings = parseMasterUrl(url);
  let log = "";
  const master = await runMaster({
    workers: 1,
    version: "1.2.3",
    logger: createLogger({
      level: settings.log,
      write: (line) => {
        log += line;
      },
    }),
    ...others,
    settings,
    stateDirectory,
    environment: { ...DEFAULT_ENVIRONMENT, ...environment },
  });
  onTestFinished(() => master.close({ timeoutMs: 1000 }));
  const base = `${settings.tls === 0 ? "http" : "https"}://127.0.0.1:${master.address.port}`;
  return {
    master,
    api: createApiClient(`${base}${settings.prefix}`, () => master.apiKey),
    stateDirectory,
    log: () => log,
  };
}
