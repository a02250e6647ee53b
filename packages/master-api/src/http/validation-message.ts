import type { z } from "zod";

const MAX_ISSUES = 3;

/** What is wrong with a request, by field; without the values, which may be secrets. */
export function validationMessage(error: z.ZodError): string {
  const parts = error.issues.slice(0, MAX_ISSUES).map((issue) => {
    const field = issue.path.map(String).join(".").slice(0, 80);
    const [, mistyped] = /^Invalid input: (expected .+)$/.exec(issue.message) ?? [];
    if (mistyped === undefined) return field === "" ? issue.message : `${field}: ${issue.message}`;
    const fault = mistyped.endsWith(", received undefined") ? "missing" : mistyped;
    return `${field === "" ? "body" : field}: ${fault}`;
  });
  return parts.join("; ");
}
