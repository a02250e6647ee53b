import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";

/**
 * Who holds a lock. A pid alone may have gone to another process by now, so the kernel's start time
 * of the process and the boot are kept too, where the system tells them (Linux).
 */
export interface ProcessIdentity {
  pid: number;
  /** Clock ticks since boot, as text; `0` if unknown. */
  startTime: string;
  /** First digits of the boot id; `0` if unknown. */
  boot: string;
  /** Makes two locks of one process different. */
  nonce: string;
}

const UNKNOWN = "0";
const TEXT = /^pid-(\d{1,10})-start-(\d+)-boot-([0-9a-f]+)-([0-9a-f]{16})$/;

/** Identity of this process, with a new nonce. */
export function ownIdentity(): ProcessIdentity {
  return {
    pid: process.pid,
    startTime: readProcess(process.pid)?.startTime ?? UNKNOWN,
    boot: readBoot(),
    nonce: randomBytes(8).toString("hex"),
  };
}

/** A file name: it is on disk as soon as the name is, without content that could be torn. */
export function formatIdentity({ pid, startTime, boot, nonce }: ProcessIdentity): string {
  return `pid-${pid}-start-${startTime}-boot-${boot}-${nonce}`;
}

/** @returns `undefined` if the text is none of {@link formatIdentity} */
export function parseIdentity(text: string): ProcessIdentity | undefined {
  const [, pid, startTime, boot, nonce] = TEXT.exec(text) ?? [];
  if (pid === undefined || Number(pid) === 0) return undefined;
  if (startTime === undefined || boot === undefined || nonce === undefined) return undefined;
  return { pid: Number(pid), startTime, boot, nonce };
}

/** Whether that very process still runs. In doubt, it does. */
export function isRunning(identity: ProcessIdentity): boolean {
  const boot = readBoot();
  if (boot !== UNKNOWN && identity.boot !== UNKNOWN && boot !== identity.boot) return false;
  try {
    process.kill(identity.pid, 0);
  } catch (error) {
    // EPERM: it runs as somebody else.
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
  }
  const found = readProcess(identity.pid);
  if (found === undefined) return true;
  if (found.isDead) return false;
  return identity.startTime === UNKNOWN || identity.startTime === found.startTime;
}

/** @see proc_pid_stat(5): the name, in parentheses, may itself hold parentheses and spaces */
function readProcess(pid: number): { startTime: string; isDead: boolean } | undefined {
  const text = readSmallFile(`/proc/${pid}/stat`);
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  const startTime = fields?.[19];
  if (startTime === undefined || !/^\d+$/.test(startTime)) return undefined;
  return { startTime, isDead: fields?.[0] === "Z" || fields?.[0] === "X" };
}

function readBoot(): string {
  const digits = readSmallFile("/proc/sys/kernel/random/boot_id")?.slice(0, 8);
  return digits !== undefined && /^[0-9a-f]{8}$/.test(digits) ? digits : UNKNOWN;
}

function readSmallFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // No such process, or a system without /proc.
    return undefined;
  }
}
