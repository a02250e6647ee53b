import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FleetAgent, type FleetExtensionOptions, fleetExtension } from "@nodepass/fleet-agent";
import type { InstanceManager } from "@nodepass/instances";
import { type MountedMaster, mountMaster } from "@nodepass/master-server";
import type { LogFields, Logger } from "@nodepass/model";
import { parseMasterUrl } from "@nodepass/url-config";

/** A real master that is a member, without an HTTP server of its own. */
export interface TestMember {
  readonly master: MountedMaster;
  readonly agent: FleetAgent;
  readonly instances: InstanceManager;
  readonly mid: string;
  readonly directory: string;
  /** Lines of its log: message and fields. */
  readonly lines: string[];
  /** Stops it; the folder stays until the test's end. */
  stop(): Promise<void>;
}

export function temporaryFolder(closers: (() => unknown)[]): string {
  const directory = mkdtempSync(join(tmpdir(), "nodepass-member-"));
  closers.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export async function startMember(
  directory: string,
  options: FleetExtensionOptions & { readonly workers?: number },
): Promise<TestMember> {
  const lines: string[] = [];
  const line = (level: string) => (fields: LogFields, message: string) =>
    void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const logger: Logger = {
    debug: line("debug"),
    info: line("info"),
    warn: line("warn"),
    error: line("error"),
  };
  const full = { ...logger, record: () => {}, checkPoint: () => {}, isEnabled: () => true };
  let instances: InstanceManager | undefined;
  let agent: FleetAgent | undefined;
  const master = await mountMaster({
    settings: parseMasterUrl("master://127.0.0.1:0/api"),
    stateDirectory: directory,
    workers: options.workers ?? 0,
    version: "9.8.7",
    logger: full,
    extension: async (parts) => {
      instances = parts.instances;
      return fleetExtension({
        ...options,
        onOpen: (opened) => {
          agent = opened;
        },
      })(parts);
    },
  });
  if (instances === undefined || agent === undefined) throw new Error("no extension");
  const stop = () => master.close({ timeoutMs: 1000 });
  return { master, agent, instances, mid: agent.status().mid, directory, lines, stop };
}
