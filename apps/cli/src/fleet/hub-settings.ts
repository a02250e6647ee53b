import { readFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { type HostPort, parseHostPort } from "@nodepass/url-config";
import { z } from "zod";
import { CliError } from "../exit-code.ts";

/** How a hub is reached: `fleet init` writes it beside the secrets. */
export const HUB_SETTINGS_FILE = "hub.json";

const address = z.string().transform((text, context): HostPort => {
  try {
    return parseHostPort(text);
  } catch {
    context.addIssue({ code: "custom", message: `${JSON.stringify(text)} is not host:port` });
    return z.NEVER;
  }
});

const SettingsSchema = z
  .strictObject({
    listen: address,
    /** PEM files, relative to the folder; without them plain HTTP is spoken. */
    crt: z.string().optional(),
    key: z.string().optional(),
    /** Path of the API. */
    prefix: z
      .string()
      .regex(/^(?:\/[\w.-]+)*$/)
      .default("/api"),
    /** Ports of their own for masters, by mid: for dashboards that know no host names. */
    masters: z.record(z.string().regex(/^[0-9a-f]{16}$/), address).default({}),
  })
  .refine(({ crt, key }) => (crt === undefined) === (key === undefined), {
    error: "crt and key belong together",
  });

/** How a hub is reached. */
export type HubSettings = z.output<typeof SettingsSchema>;

/**
 * Reads a folder's settings; its paths are absolute then.
 *
 * @throws {CliError} naming the field
 */
export async function readHubSettings(directory: string): Promise<HubSettings> {
  const path = join(directory, HUB_SETTINGS_FILE);
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      throw new CliError(`${directory} is no fleet's folder: it has no ${HUB_SETTINGS_FILE}`, {
        details: [(command) => `${command} fleet init writes one.`],
      });
    }
    throw new CliError(`can't read ${path}: ${error instanceof Error ? error.message : error}`);
  }
  const { data, error } = SettingsSchema.safeParse(json);
  if (data === undefined) {
    const problems = error.issues.map(
      (issue) => `${issue.path.join(".") || "it"}: ${issue.message}`,
    );
    throw new CliError(`${path} can't be used`, { details: problems });
  }
  const placed = (file: string | undefined) =>
    file === undefined || isAbsolute(file) ? file : join(directory, file);
  return { ...data, crt: placed(data.crt), key: placed(data.key) };
}
