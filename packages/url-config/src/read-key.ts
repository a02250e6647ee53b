import type { Findings } from "./findings.ts";
import { redacted } from "./redact.ts";
import { deriveTunnelKey } from "./tunnel-key.ts";
import { urlProblem } from "./url-problem.ts";

const parameter = "tunnel key";
const allowed = "any text, its special characters percent-encoded (%40 for @)";

/** The tunnel key of a URL. */
export interface TunnelKey {
  readonly key: string;
  /** False if it was derived from the port. */
  readonly keyGiven: boolean;
}

/** Reads the key from what stands before the `@`; its text goes into no problem. */
export function readKey(
  userInfo: string | undefined,
  tunnelPort: number,
  findings: Findings,
): TunnelKey {
  const overlook = (fault: string, taken: string) =>
    findings.overlook(urlProblem("INVALID_VALUE", parameter, redacted, allowed, fault), taken);

  // A Go URL splits `user:password` there, and NodePass 1.14 takes the user alone.
  const colon = userInfo?.indexOf(":") ?? -1;
  if (colon >= 0) overlook("has an unescaped colon", "what stands before the colon is used");
  const raw = colon < 0 ? userInfo : userInfo?.slice(0, colon);
  if (raw === undefined || raw === "") {
    if (userInfo !== undefined) {
      const problem = urlProblem("INVALID_VALUE", parameter, "", `${allowed}; no @ without a key`);
      findings.overlook(problem, "the key is derived from the port");
    }
    return { key: deriveTunnelKey(tunnelPort), keyGiven: false };
  }
  if (/[\s@/?#]/.test(raw)) overlook("has unescaped special characters", "they are part of it");
  try {
    return { key: decodeURIComponent(raw), keyGiven: true };
  } catch {
    // URIError: a password with a percent sign, written unescaped.
    overlook("has a broken percent-escape", "it is used as written");
    return { key: raw, keyGiven: true };
  }
}
