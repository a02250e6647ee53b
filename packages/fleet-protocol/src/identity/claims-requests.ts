import { z } from "zod";

/** Asked as a system user with an account's JWT as body; each server takes it and answers. */
export const CLAIMS_UPDATE_SUBJECT = "$SYS.REQ.CLAIMS.UPDATE";

/** Asked as a system user with an empty body: answers the account's newest JWT, or nothing. */
export function claimsLookupSubject(account: string): string {
  return `$SYS.REQ.ACCOUNT.${account}.CLAIMS.LOOKUP`;
}

/** How a server took a pushed JWT. */
export interface ClaimsAnswer {
  ok: boolean;
  /** Name of the server; empty if it did not say. */
  server: string;
  /** `jwt updated`, or why not. */
  message: string;
}

const outcome = z.object({
  code: z.number(),
  message: z.string().optional(),
  description: z.string().optional(),
});
const ClaimsAnswerSchema = z.object({
  server: z.object({ name: z.string() }).optional(),
  data: outcome.optional(),
  error: outcome.optional(),
});

/** @param body of the answer to {@link CLAIMS_UPDATE_SUBJECT}; from outside: anything */
export function readClaimsAnswer(body: Uint8Array): ClaimsAnswer {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(body));
  } catch {
    return { ok: false, server: "", message: "the server's answer is no JSON" };
  }
  const read = ClaimsAnswerSchema.safeParse(json);
  if (!read.success)
    return { ok: false, server: "", message: "the server's answer has another shape" };
  const { server, data, error } = read.data;
  const said = error ?? data;
  return {
    ok: error === undefined && data?.code === 200,
    server: server?.name ?? "",
    message: said?.description ?? said?.message ?? "no word",
  };
}
