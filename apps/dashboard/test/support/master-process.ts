import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const entry = fileURLToPath(new URL("../../../master/dist/main.js", import.meta.url));

/** Starts the built `nodepass-master`; killed when the test ends, if it still runs. */
export async function startMasterProcess(
  url: string,
  stateDirectory: string,
  apiKey: string,
): Promise<ChildProcess> {
  const child = spawn(process.execPath, [entry, url], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NP_STATE_DIR: stateDirectory, NP_API_KEY: apiKey, NP_WORKERS: "1" },
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let said = "";
  while (!said.includes("API URL:")) {
    const [chunk] = await Promise.race([
      once(child.stdout, "data"),
      once(child, "exit").then(([code]): never => {
        throw new Error(`the master ended with ${code}: ${said}`);
      }),
    ]);
    said += chunk;
  }
  child.stdout.resume();
  return child;
}
