import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type GoState, GoStateError, readGoState } from "@nodepass/go-state";
import { createMasterState } from "@nodepass/instances";
import type { MasterState } from "@nodepass/store";
import { MasterServerError } from "./master-server-error.ts";

/** A state of the Go program that was taken over. */
export interface MovedIn {
  readonly file: string;
  readonly instances: number;
}

/**
 * Where a master of the Go program keeps its state: beside the program, in the working folder, or in
 * `/gob`, as its container image has it.
 *
 * @param program path of the program that runs, such as `process.argv[1]`
 * @param workingDirectory such as `process.cwd()`
 * @example
 * const files = goStateFiles(process.argv[1], process.cwd());
 */
export function goStateFiles(program: string | undefined, workingDirectory: string): string[] {
  const name = join("gob", "nodepass.gob");
  const beside = program === undefined ? [] : [join(dirname(program), name)];
  return [...beside, join(workingDirectory, name), join("/", name)];
}

/**
 * The state to begin with where there is none: that of the Go program, if it is there.
 *
 * @param wanted the file that must be there; `undefined` looks for the first of `candidates`
 * @throws {MasterServerError} `IMPORT_FAILED` if the file can't be read or is no whole state; nothing
 *   is taken over then
 */
export function initialState(
  wanted: string | undefined,
  candidates: readonly string[],
): { readonly state: MasterState; readonly movedIn: MovedIn | undefined } {
  for (const file of wanted === undefined ? candidates : [wanted]) {
    const bytes = read(file, wanted !== undefined);
    if (bytes === undefined) continue;
    const state = takeOver(file, bytes);
    return { state, movedIn: { file, instances: state.instances.length } };
  }
  return { state: createMasterState(), movedIn: undefined };
}

/** A state of our own with what another master kept. */
export function stateOf({ apiKey, masterId, alias, instances }: GoState): MasterState {
  const fresh = createMasterState();
  const ours = { ...fresh, alias, apiKey, instances: [...instances] };
  return { ...ours, masterId: masterId ?? fresh.masterId };
}

function takeOver(file: string, bytes: Uint8Array): MasterState {
  try {
    return stateOf(readGoState(bytes));
  } catch (error) {
    if (!(error instanceof GoStateError)) throw error;
    throw failed(file, error.message, error);
  }
}

/** @returns nothing where a file is that nobody asked for and that is not there */
function read(file: string, asked: boolean): Uint8Array | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (!asked && (code === "ENOENT" || code === "ENOTDIR")) return undefined;
    throw failed(file, error instanceof Error ? error.message : String(error), error);
  }
}

function failed(file: string, why: string, cause: unknown): MasterServerError {
  return new MasterServerError(
    "IMPORT_FAILED",
    `the state of the Go program in ${file} can't be taken over: ${why}`,
    { cause },
  );
}
