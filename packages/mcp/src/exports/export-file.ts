import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { McpError } from "../mcp-error.ts";

/** Where `export_instances` writes and `import_instances` reads. */
export interface ExportFile {
  /** Its name without the folder, for people. */
  readonly name: string;
  /** `undefined` if there is none. @throws {McpError} `FILE_UNUSABLE` */
  read(): Promise<string | undefined>;
  /** Replaces it whole or not at all. @throws {McpError} `FILE_UNUSABLE` */
  write(text: string): Promise<void>;
}

/** Enough for 30,000 instances. */
const mostBytes = 16 * 1024 * 1024;

/**
 * A file of this machine; only its owner can read it, since it holds the tunnels' keys.
 *
 * @param path or what finds it; asked at each use
 */
export function createExportFile(path: string | (() => Promise<string>)): ExportFile {
  const find = typeof path === "string" ? async () => path : path;
  const name = typeof path === "string" ? basename(path) : "nodepass.json";
  return {
    name,
    async read() {
      try {
        const file = await find();
        const { size } = await stat(file);
        if (size > mostBytes) {
          throw new McpError("FILE_UNUSABLE", `${name} has ${size} bytes, more than ${mostBytes}`);
        }
        const handle = await open(file, "r");
        try {
          return await handle.readFile("utf8");
        } finally {
          await handle.close();
        }
      } catch (error) {
        if (codeOf(error) === "ENOENT") return undefined;
        throw unusable(name, "read", error);
      }
    },
    async write(text) {
      let temporary: string | undefined;
      try {
        const file = await find();
        await mkdir(dirname(file), { recursive: true, mode: 0o700 });
        temporary = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString("hex")}`);
        const handle = await open(temporary, "wx", 0o600);
        try {
          await handle.writeFile(text);
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(temporary, file);
      } catch (error) {
        if (temporary !== undefined) await rm(temporary, { force: true });
        throw unusable(name, "written", error);
      }
    },
  };
}

/** The system's own text names folders, which are nobody's business who asks over the network. */
function unusable(name: string, what: string, error: unknown): McpError {
  if (error instanceof McpError) return error;
  const reason = codeOf(error) ?? "unknown error";
  return new McpError("FILE_UNUSABLE", `${name} can't be ${what}: ${reason}`, { cause: error });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
