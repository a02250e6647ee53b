import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CliError } from "../exit-code.ts";

/** Where a quick start that runs is, for whoever starts a second one on the same state. */
export interface RunningNote {
  readonly pid: number;
  /** Of the API. */
  readonly url: string;
  readonly page?: string | undefined;
}

const answerTimeoutMs = 2000;

const pathOf = (folder: string) => join(folder, "quickstart.json");

/** Says that this process is the one that runs. @returns takes it back */
export function leaveNote(folder: string, note: RunningNote): () => void {
  writeFileSync(pathOf(folder), `${JSON.stringify(note)}\n`, { mode: 0o600 });
  return () => rmSync(pathOf(folder), { force: true });
}

/**
 * Makes sure that no other quick start runs on this state, before anything is opened.
 *
 * @throws {CliError} saying which process runs, and where
 */
export async function refuseSecond(folder: string): Promise<void> {
  const note = readNote(folder);
  if (note === undefined || !isAlive(note.pid) || !(await answers(note.url))) return;
  throw new CliError(`runs already, as process ${note.pid}`, {
    details: [
      `API URL: ${note.url}`,
      ...(note.page === undefined ? [] : [`Page:    ${note.page}`]),
      `State:   ${folder}`,
    ],
  });
}

function readNote(folder: string): RunningNote | undefined {
  try {
    const note: unknown = JSON.parse(readFileSync(pathOf(folder), "utf8"));
    return isNote(note) ? note : undefined;
  } catch {
    // None, or cut off by a crash: the lock of the state still keeps a second master out.
    return undefined;
  }
}

function isNote(value: unknown): value is RunningNote {
  if (typeof value !== "object" || value === null) return false;
  if (!("pid" in value && "url" in value)) return false;
  const page = "page" in value ? value.page : undefined;
  return (
    Number.isSafeInteger(value.pid) &&
    typeof value.url === "string" &&
    (page === undefined || typeof page === "string")
  );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Another process may have got the number of one that was killed: something has to answer. */
async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(answerTimeoutMs) });
    await response.body?.cancel();
    return true;
  } catch {
    return false;
  }
}
