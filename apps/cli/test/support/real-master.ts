import { temporaryFolder } from "./folder.ts";
import { type RunningCli, runCli, startCli } from "./run-cli.ts";

/** A master of ours in a process of its own. */
export interface RealMaster {
  readonly running: RunningCli;
  readonly url: string;
  readonly key: string;
  /** Variables that make the command talk to it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Runs the command against it. @returns standard output; throws if it ends with another code */
  run(argv: readonly string[], code?: number): Promise<string>;
  /** The same with JSON. */
  json(argv: readonly string[], code?: number): Promise<unknown>;
}

/** Starts `nodepass 'master://…'` on loopback. */
export async function startRealMaster(query = ""): Promise<RealMaster> {
  const stateDirectory = temporaryFolder();
  const environment = {
    NP_STATE_DIR: stateDirectory,
    NP_REPORT_INTERVAL: "200ms",
    NP_WORKERS: "1",
    XDG_CONFIG_HOME: temporaryFolder(),
  };
  const running = startCli([`master://127.0.0.1:0/api${query}`], { environment });
  const [, url = ""] = await running.waitFor(/^API URL: (\S+)$/m);
  const [, key = ""] = await running.waitFor(/^API KEY: (\S+)$/m);
  const own = { ...environment, NP_MASTER_URL: url, NP_API_KEY: key };
  const run = async (argv: readonly string[], code = 0) => {
    const result = await runCli(argv, { environment: own });
    if (result.code !== code) {
      throw new Error(`${argv.join(" ")} ended with ${result.code}: ${result.stderr}`);
    }
    return result.stdout;
  };
  return {
    running,
    url,
    key,
    environment: own,
    run,
    json: async (argv, code) => JSON.parse(await run([...argv, "--json"], code)),
  };
}
