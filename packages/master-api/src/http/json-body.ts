import type { Context, MiddlewareHandler } from "hono";
import { refuse } from "./error-response.ts";

/** Longest request body. */
const MAX_BODY_BYTES = 1_048_576;

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
 * Reads the body, at most 1 MiB of it unless told otherwise, counted as it arrives: a Content-Length can lie or be missing.
 *
 * @param limit a whole number of MiB, in bytes
 * @returns its bytes, or the answer to a body that is none
 */
export async function readBytes(
  context: Context,
  limit: number = MAX_BODY_BYTES,
): Promise<Uint8Array<ArrayBuffer> | Response> {
  const tooLarge = () => refuse(context, 413, `body over ${limit / 1_048_576} MiB`);
  const { raw } = context.req;
  if (Number(raw.headers.get("content-length")) > limit) return tooLarge();
  try {
    const bytes = raw.body === null ? new Uint8Array() : await readAtMost(raw.body, limit);
    return bytes ?? tooLarge();
  } catch {
    // The client went away in the middle: nobody hears the answer.
    return refuse(context, 400, "body ended early");
  }
}

/** The same, as text. */
export async function readBody(context: Context, limit?: number): Promise<string | Response> {
  const bytes = await readBytes(context, limit);
  if (bytes instanceof Response) return bytes;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return refuse(context, 400, "body is not JSON");
  }
}

/**
 * Reads the body as JSON whatever its content type says: clients send none, or a wrong one.
 *
 * @param limit its bytes at most
 */
export const jsonBodyOf =
  (limit: number): MiddlewareHandler =>
  async (context, next) => {
    const { raw } = context.req;
    const text = await readBody(context, limit);
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

/** The same, of at most 1 MiB. */
export const jsonBody: MiddlewareHandler = jsonBodyOf(MAX_BODY_BYTES);
