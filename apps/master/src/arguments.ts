import { parseArgs } from "node:util";
import type { FleetRequest } from "./fleet.ts";

/** Where a master listens that is told nothing: on this machine only. */
const defaultUrl = "master://127.0.0.1:9090";

/** The URL that counts: of the command line, the files, `NP_MASTER_URL`. */
export function chooseUrl(...urls: readonly (string | undefined)[]): string {
  return urls.find((url) => url !== undefined && url !== "") ?? defaultUrl;
}

/** How log lines are written. */
export type LogFormat = "text" | "json";

/** What the command line asks for. */
export type Request =
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | {
      readonly kind: "run";
      /** `undefined`: the files say, `NP_MASTER_URL`, or the default. */
      readonly url: string | undefined;
      /** Files and folders that say what shall run. */
      readonly configFiles: readonly string[];
      readonly logFormat: LogFormat;
      /** A state of the Go program to begin with. */
      readonly importFile: string | undefined;
      readonly fleet: FleetRequest;
    }
  | { readonly kind: "leave fleet" }
  | { readonly kind: "renew key" }
  | { readonly kind: "wrong usage"; readonly problem: string };

/** Reads the command line. @param configFile `NP_CONFIG`: counts where it names no file */
export function readArguments(argv: readonly string[], configFile?: string | undefined): Request {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(argv);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { kind: "wrong usage", problem };
  }
  const { values, positionals } = parsed;
  if (values.help === true) return { kind: "help" };
  if (values.version === true) return { kind: "version" };
  const [given, ...others] = positionals;
  if (values["renew-key"] === true) {
    if (given === undefined) return { kind: "renew key" };
    return {
      kind: "wrong usage",
      problem: "--renew-key takes no URL; NP_STATE_DIR says whose key",
    };
  }
  if (values.leave === true) {
    if (given === undefined && values.join === undefined) return { kind: "leave fleet" };
    return {
      kind: "wrong usage",
      problem: "--leave takes nothing else; NP_STATE_DIR says which master",
    };
  }
  const { join: token, "new-identity": newIdentity = false, allow, targets } = values;
  if (newIdentity && token === undefined) {
    return {
      kind: "wrong usage",
      problem: "--new-identity is for a master that joins: --join TOKEN",
    };
  }
  const logFormat = values["log-format"] ?? "text";
  if (logFormat !== "text" && logFormat !== "json") {
    return { kind: "wrong usage", problem: "--log-format is neither text nor json" };
  }
  // Nothing of them is quoted: they may hold keys, and shells split URLs that are not quoted.
  if (others.length > 0)
    return { kind: "wrong usage", problem: "more than one URL; is it quoted?" };
  const byVariable = configFile === undefined || configFile === "" ? [] : [configFile];
  return {
    kind: "run",
    url: given,
    configFiles: values.config ?? byVariable,
    logFormat,
    importFile: values.import,
    fleet: { token, newIdentity, allow, targets },
  };
}

function parse(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      help: { type: "boolean", short: "h" },
      version: { type: "boolean", short: "v" },
      "log-format": { type: "string" },
      config: { type: "string", multiple: true },
      import: { type: "string" },
      "renew-key": { type: "boolean" },
      join: { type: "string" },
      "new-identity": { type: "boolean" },
      allow: { type: "string" },
      targets: { type: "string" },
      leave: { type: "boolean" },
    },
  });
}

/** What `--help` prints. */
export const helpText = `Usage: nodepass-master [url] [--config FILE] [--log-format text|json] [--import FILE]
       nodepass-master [url] --join TOKEN [--allow LIST] [--targets LIST] [--new-identity]
       nodepass-master --renew-key
       nodepass-master --leave

Runs a NodePass master: an HTTP API that runs tunnels.

  url            master://<host>:<port>/<prefix>?log=…&tls=…&crt=…&key=…
                 else the file's, else NP_MASTER_URL, else ${defaultUrl}
                   prefix     where the API is, /api unless given
                   log        none, debug, info, warn, error, event (default info)
                   tls        0 plain, 1 self-signed, 2 from the files crt and key (default 0)
  --config FILE  a YAML or JSON file, or a folder of them, that says what shall run; may be given
                 again. SIGHUP and a change of the files make the instances what they say
  --log-format   lines of text, or one JSON object a line (then what is printed at the start,
                 the key too, goes to standard error)
  --import FILE  begin with the state of a master of the Go program (nodepass.gob); without it one
                 is looked for in gob/ beside the program, in gob/ here, and in /gob, where this
                 master has no state yet
  --renew-key    make a new API key for a master that is stopped, print it, and end
  --join TOKEN   become a member of the fleet that the token is of (nodepass fleet token create),
                 and stay one at later starts, which need no token
  --allow LIST   what the fleet may do here: apply (its services), api (requests that write),
                 read (those that read), with commas; none (default apply,api,read).
                 It is kept till something else is said, as is --targets
  --targets LIST addresses that the fleet's instances may connect to: IP addresses, networks and
                 host names, with commas; any (default). Without --allow, api is not allowed then
  --new-identity with --join: be another master than the one whose state was copied
  --leave        take a master that is stopped out of its fleet, and end; its instances stay
  -h, --help     print this
  -v, --version  print the version

Environment:
  NP_MASTER_URL  the URL, where neither the command line nor a file has one
  NP_CONFIG      the file or folder of --config, where the command line has none
  NP_STATE_DIR   where the state lies; else $XDG_STATE_HOME/nodepass, ~/.local/state/nodepass
  NP_API_KEY, NP_API_KEY_FILE    the API key, or the file that it is in; else made at the first start
  NP_READ_KEY, NP_READ_KEY_FILE  a second key, which may only read
  NP_SHOW_KEY    0 or 1: whether a key that was made is printed (default: not in a container)
  NP_FLEET_JOIN, NP_FLEET_JOIN_FILE   the token of --join, or the file that it is in; may stay there
  NP_FLEET_ALLOW, NP_FLEET_TARGETS    as --allow and --targets
  NP_WORKERS     worker threads that run the tunnels (default: as many as cores)
  NP_METRICS_INSTANCES           instances that have metrics of their own (default 1000)
  and the limits of tunnels, such as NP_SHUTDOWN_TIMEOUT, longest graceful stop (default 5s)

Examples:
  nodepass-master
  nodepass-master 'master://0.0.0.0:9090/api?log=info&tls=1'

A new key of the API is printed at the first start only: --renew-key is for who has lost it. Log
lines go to standard output, errors to standard error. SIGINT or SIGTERM stops gracefully, a second one
at once (the same one only a second later). Exit codes: 0 stopped as asked, 1 failed, 2 wrong usage,
128 and the signal's number when a second signal cut the stop.
`;
