/** Where the API reports faults; silent by default. */
export interface Logger {
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

export const silentLogger: Logger = { warn: () => undefined, error: () => undefined };
