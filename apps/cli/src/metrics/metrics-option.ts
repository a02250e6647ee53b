import { Option } from "commander";
import { CliError, exitCodes } from "../exit-code.ts";

/** The option of commands that run a tunnel. */
export function metricsOption(): Option {
  return new Option(
    "--metrics <address>",
    "serve Prometheus metrics of tunnels there, such as 127.0.0.1:9464; also NP_METRICS",
  );
}

/** A master serves them with its API. @throws {CliError} usage if the option was given */
export function refuseMetricsOfMaster(metrics: string | undefined): void {
  if (metrics === undefined) return;
  throw new CliError("--metrics is for tunnels: a master has /metrics in its API", {
    exitCode: exitCodes.usage,
  });
}
