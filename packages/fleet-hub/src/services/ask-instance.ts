import { randomBytes } from "node:crypto";
import { ServiceError } from "@nodepass/model";
import { InstanceSchema } from "@nodepass/model/schemas";
import type { z } from "zod";
import type { ServiceParts } from "./service-operations.ts";

const AskedInstanceSchema = InstanceSchema.pick({
  id: true,
  alias: true,
  status: true,
  url: true,
  meta: true,
});

/** An instance as its member shows it, its key not masked. */
export type AskedInstance = z.output<typeof AskedInstanceSchema>;

/**
 * Asks a member for one of its instances.
 *
 * @param from IP address of who wants to know
 * @throws {ServiceError} `NOT_FOUND`, `UNAVAILABLE`
 */
export async function askInstance(
  { messenger, presence }: Pick<ServiceParts, "messenger" | "presence">,
  mid: string,
  instance: string,
  from: string,
): Promise<AskedInstance> {
  const stream = randomBytes(8).toString("hex");
  const answer = await messenger.api(
    mid,
    {
      method: "GET",
      path: `${presence.facts(mid).prefix}/v1/instances/${encodeURIComponent(instance)}`,
      headers: [["accept", "application/json"]],
      body: new Uint8Array(),
      access: "admin",
      remote: from,
      stream,
      credit: 0,
    },
    () => undefined,
  );
  if (answer.streamed) messenger.closeStream(mid, stream);
  if (answer.status === 404) {
    throw new ServiceError("NOT_FOUND", `no instance ${JSON.stringify(instance.slice(0, 80))}`);
  }
  if (answer.status !== 200) {
    const text = `the master answered ${answer.status} to a question for the instance`;
    throw new ServiceError("UNAVAILABLE", text);
  }
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(answer.body));
  } catch (error) {
    throw new ServiceError("UNAVAILABLE", "the master's answer is no JSON", { cause: error });
  }
  const read = AskedInstanceSchema.safeParse(json);
  if (!read.success) {
    throw new ServiceError("UNAVAILABLE", "the master's answer is no instance");
  }
  return read.data;
}
