import type { Context, MiddlewareHandler } from "hono";
import { refuse } from "./error-response.ts";

/** Longest request body. */
export const MAX_BODY_BYTES = 1_048_576;

/** @returns the bytes, or `undefined` once there are more than `limit`: the rest is not read */
async function readAtMost(
  body: ReadableStream<Uint8Array>,
  limit: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.byteLength;
    if (length > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

/**
 * Reads the body, at most 1 MiB of it, counted as it arrives: a Content-Length can lie or be missing.
 *
 * @returns its bytes, or the answer to a body that is none
 */
export async function readBytes(context: Context): Promise<Uint8Array<ArrayBuffer> | Response> {
  const { raw } = context.req;
  if (Number(raw.headers.get("content-length")) > MAX_BODY_BYTES) {
    return refuse(context, 413, "body over 1 MiB");
  }
  try {
    const bytes = raw.body === null ? new Uint8Array() : await readAtMost(raw.body, MAX_BODY_BYTES);
    return bytes ?? refuse(context, 413, "body over 1 MiB");
  } catch {
    // The client went away in the middle: nobody hears the answer.
    return refuse(context, 400, "body ended early");
  }
}

/** The same, as text. */
export async function readBody(context: Context): Promise<string | Response> {
  const bytes = await readBytes(context);
  if (bytes instanceof Response) return bytes;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return refuse(context, 400, "body is not JSON");
  }
}

/** Reads the body as JSON whatever its content type says: clients send none, or a wrong one. */
export const jsonBody: MiddlewareHandler = async (context, next) => {
  const { raw } = context.req;
  const text = await readBody(context);
  if (text instanceof Response) return text;
  try {
    JSON.parse(text);
  } catch {
    // The parser's own message quotes the body, which may hold secrets.
    return refuse(context, 400, "body is not JSON");
  }
  // The validators read the request again, and insist on the content type.
  context.req.raw = new Request(raw.url, {
    method: raw.method,
    headers: { ...Object.fromEntries(raw.headers), "content-type": "application/json" },
    body: text,
  });
  return next();
};
