import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";

/** Linux counts a process's time in these, ms. */
const TICK_MS = 10;
/** IPv4 and TCP with time stamps, of each segment, bytes. */
const HEADERS_BYTES = 52;

/** Processor time that a process has used, ms. */
export function processorMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // After the program's name, which may have anything in it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Resident memory, MiB. */
export function residentMiB(pid: number): number {
  const [, kib = "0"] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) / 1024;
}

/** The machine's load of the last minute. */
export const load = (): number => Number((loadavg()[0] ?? 0).toFixed(1));

/** All bytes on the wire between some processes and a port of this machine so far, IP and TCP included. */
export function wireBytes(port: number, pids: readonly number[]): number {
  const text = execFileSync("ss", ["-tinpH", "state", "established", `( dport = :${port} )`], {
    encoding: "utf8",
    maxBuffer: 64 * 2 ** 20,
  });
  let sum = 0;
  for (const block of text.split(/\n(?=\S)/)) {
    if (!pids.some((pid) => block.includes(`pid=${pid},`))) continue;
    const number = (name: string) => Number(new RegExp(`\\b${name}:(\\d+)`).exec(block)?.[1] ?? 0);
    sum += number("bytes_sent") + number("bytes_received");
    sum += (number("segs_out") + number("segs_in")) * HEADERS_BYTES;
  }
  return sum;
}
