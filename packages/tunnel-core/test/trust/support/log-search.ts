import { inspect } from "node:util";
import type { LogRecord } from "@nodepass/tunnel-core";
import { expect } from "vitest";
import { eventually } from "../../support/tunnel-pair.ts";

/** Whether a record with this text (of its message or a field) is in the log. */
export function logged(logs: readonly LogRecord[], text: string | RegExp): boolean {
  return logs.some(({ message, fields }) =>
    [message, ...Object.values(fields).map(String)].some((part) =>
      typeof text === "string" ? part.includes(text) : text.test(part),
    ),
  );
}

/** Waits for a record. */
export async function expectLogged(
  logs: readonly LogRecord[],
  text: string | RegExp,
): Promise<void> {
  await eventually(() => {
    if (!logged(logs, text)) throw new Error(`not logged: ${text}\n${inspect(logs)}`);
  });
}

/** No record holds any of the secrets, in any spelling of theirs that could be printed. */
export function expectSilentAbout(logs: readonly LogRecord[], secrets: readonly string[]): void {
  const all = JSON.stringify(logs);
  for (const secret of secrets) {
    for (const spelling of spellingsOf(secret)) expect(all).not.toContain(spelling);
  }
}

/** A secret as it is, and as an encoder would write it. */
export function spellingsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [secret, encodeURIComponent(secret), bytes.toString("hex"), bytes.toString("base64")];
}
