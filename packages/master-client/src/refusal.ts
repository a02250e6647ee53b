import { MasterClientError } from "./client-error.ts";
import { unreachable } from "./connection-error.ts";
import type { HttpAnswer } from "./exchange.ts";
import { isRecord } from "./remote-instance.ts";

const maxSaid = 500;

/** Whether an answer may be of a NodePass API. */
export function isJson({ status, headers, text }: HttpAnswer): boolean {
  if (status === 204 || headers.get("content-type")?.includes("json") === true) return true;
  // Old masters answer errors as text, and a master with TLS tells plain requests so.
  return status >= 400 || /^\s*[[{]/.test(text);
}

/** The error that an answer stands for which is no success. @param who answers at `origin` */
export function toRefusal(
  origin: string,
  answer: HttpAnswer,
  who: "master" | "hub",
): MasterClientError {
  const { status, headers, text } = answer;
  // Browsers tell nothing of a redirect but that it was one, as status 0.
  if (status === 0 || (status >= 300 && status < 400)) {
    const where = (headers.get("location") ?? "another place").slice(0, maxSaid);
    return unreachable(origin, `it sends elsewhere, to ${where}`, [
      `If that is the ${who}, give its URL: the key is not sent on.`,
    ]);
  }
  if (/HTTPS server/i.test(text)) return unreachable(origin, "it wants https://");
  const said = readErrorText(text);
  const reason = said === "" ? `status ${status}` : `${said} (${status})`;
  const message = `the ${who} at ${origin} refuses: ${reason}`;
  if (status === 429) {
    const details = ["The key was wrong too often. Another one is accepted all the same."];
    return new MasterClientError("UNAUTHORIZED", message, { details, status });
  }
  const code = status === 401 ? "UNAUTHORIZED" : status === 404 ? "NOT_FOUND" : "REFUSED";
  return new MasterClientError(code, message, { status });
}

/** What the master said, at bounded length. */
function readErrorText(text: string): string {
  let said: unknown = text;
  try {
    const body: unknown = JSON.parse(text);
    said = isRecord(body) ? body.error : "";
  } catch {
    // Text, as old masters send it; a page of a proxy is no message.
    if (/^\s*</.test(text)) said = "";
  }
  return typeof said === "string" ? said.trim().slice(0, maxSaid) : "";
}
