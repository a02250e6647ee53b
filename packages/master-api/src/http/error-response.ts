import type { Logger, ServiceErrorCode } from "@nodepass/model";
import type { Context, ErrorHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";

/** What a request may fail with; a bad option is nobody's request. */
type AnsweredCode = Exclude<ServiceErrorCode, "INVALID_OPTIONS">;

/** Every expected failure of the service and the status that it is answered with. */
export const STATUS_BY_CODE: Readonly<Record<AnsweredCode, ContentfulStatusCode>> = {
  NOT_FOUND: 404,
  INVALID: 400,
  INVALID_URL: 400,
  FORBIDDEN: 403,
  CONFLICT: 409,
  SAME_URL: 409,
  PRECONDITION: 412,
  LIMIT_REACHED: 409,
  UNAVAILABLE: 503,
};

/** An answer that is no success: `{"error": message}`. */
export function refuse(
  context: Context,
  status: ContentfulStatusCode,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return context.json({ error: message }, status, headers);
}

function statusOf(error: Error): ContentfulStatusCode | undefined {
  const code: unknown = "code" in error ? error.code : undefined;
  if (typeof code !== "string" || !Object.hasOwn(STATUS_BY_CODE, code)) return undefined;
  return STATUS_BY_CODE[code as AnsweredCode];
}

/** Turns what a handler threw into an answer: our codes by the table, all else a silent 500. */
export function createErrorHandler(logger: Logger): ErrorHandler {
  return (error, context) => {
    const status = statusOf(error);
    if (status !== undefined) {
      if (status === 503) logger.warn({ reason: error.message }, "request failed");
      return refuse(context, status, error.message);
    }
    if (isHttpException(error) && error.status < 500) {
      return refuse(context, error.status as ContentfulStatusCode, "bad request");
    }
    const { method, path } = context.req;
    // A fault of the program: where it happened is what somebody needs who looks for it.
    logger.error({ method, path, error: error.stack ?? error.message }, "request failed");
    return refuse(context, 500, "internal error");
  };
}

/** Also another copy's: npm may give two packages their own Hono each. */
function isHttpException(error: Error): error is HTTPException {
  if (error instanceof HTTPException) return true;
  return "getResponse" in error && "status" in error && typeof error.status === "number";
}
