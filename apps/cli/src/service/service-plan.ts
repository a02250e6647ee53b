import { join, resolve } from "node:path";
import { parse, UrlConfigError } from "@nodepass/url-config";
import { CliError, exitCodes } from "../exit-code.ts";
import { isConfigPath } from "../files/is-config-path.ts";
import { launchdPlist } from "./launchd-plist.ts";
import { systemdUnit } from "./systemd-unit.ts";

/** The machine that a service is for. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  /** Whether it is of the machine, not of a user. */
  readonly system: boolean;
  /** Path of Node and of this program. */
  readonly node: string;
  readonly program: string;
}

/** A file to write, and commands to run after that. */
export interface ServicePlan {
  readonly files: readonly {
    readonly path: string;
    readonly text: string;
    readonly mode: number;
  }[];
  /** All that it may have, its own file last. */
  readonly paths: readonly string[];
  readonly start: readonly (readonly string[])[];
  readonly stop: readonly (readonly string[])[];
  readonly status: readonly string[];
}

const NAME = /^[A-Za-z0-9_-]{1,40}$/;

/**
 * What makes a service of a URL or a file. A URL, whose key others could read in a unit and in the
 * list of processes, is kept in a file for its owner alone.
 *
 * @param what URL or path; `undefined` for a service that is there
 * @throws {CliError} usage for a bad name, URL or platform
 */
export function planService(name: string, what: string | undefined, machine: Machine): ServicePlan {
  if (!NAME.test(name)) {
    throw new CliError(
      `the name ${JSON.stringify(name)} is not valid (allowed: 1 to 40 letters, digits, - and _)`,
      {
        exitCode: exitCodes.usage,
      },
    );
  }
  const { platform } = machine;
  if (platform !== "linux" && platform !== "darwin") {
    throw new CliError(`services are for Linux (systemd) and macOS (launchd), not ${platform}`);
  }
  const isLinux = platform === "linux";
  const config = machine.system ? "/etc/nodepass" : join(machine.home, ".config", "nodepass");
  const urlFile = join(config, "services", `${name}.url`);
  const isFile = what !== undefined && isConfigPath(what);
  if (what !== undefined && !isFile) checkUrl(what);
  const argv = [
    machine.node,
    machine.program,
    "run",
    ...(isFile ? [resolve(what)] : ["--file", urlFile]),
  ];
  const id = isLinux ? `nodepass-${name}.service` : `nodepass.${name}`;
  const path = isLinux
    ? join(machine.system ? "/etc/systemd/system" : join(machine.home, ".config/systemd/user"), id)
    : join(
        machine.system ? "/" : machine.home,
        "Library",
        machine.system ? "LaunchDaemons" : "LaunchAgents",
        `${id}.plist`,
      );
  const text = isLinux
    ? systemdUnit({ name, argv, system: machine.system })
    : launchdPlist({ id, argv });
  const systemctl = ["systemctl", ...(machine.system ? [] : ["--user"])];
  return {
    files: [
      ...(what === undefined || isFile ? [] : [{ path: urlFile, text: `${what}\n`, mode: 0o600 }]),
      { path, text, mode: 0o644 },
    ],
    paths: [urlFile, path],
    start: isLinux
      ? [
          [...systemctl, "daemon-reload"],
          [...systemctl, "enable", "--now", id],
        ]
      : [["launchctl", "load", "-w", path]],
    stop: isLinux
      ? [[...systemctl, "disable", "--now", id]]
      : [["launchctl", "unload", "-w", path]],
    status: isLinux ? [...systemctl, "status", "--no-pager", id] : ["launchctl", "list", id],
  };
}

function checkUrl(url: string): void {
  try {
    parse(url);
  } catch (error) {
    if (!(error instanceof UrlConfigError)) throw error;
    const [first = "", ...rest] = error.problems.map(({ message }) => message);
    throw new CliError(first, { details: rest, exitCode: exitCodes.usage, cause: error });
  }
}
