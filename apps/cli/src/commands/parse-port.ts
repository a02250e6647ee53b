import { InvalidArgumentError } from "commander";

/** Reads a port; 0 stands for a free one. */
export function parsePort(value: string): number {
  const port = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN;
  if (!(port <= 65_535)) throw new InvalidArgumentError("allowed: a whole number from 0 to 65535.");
  return port;
}
