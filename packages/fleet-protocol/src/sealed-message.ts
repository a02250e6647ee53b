import type { z } from "zod";
import { packMessage, unpackMessage } from "./messages/pack.ts";
import type { Box, BoxId } from "./seal/box.ts";

/**
 * Header of an answer that has no body, with {@link BAD_MESSAGE}: the request could not be unpacked,
 * had another shape or another seal. It is not sealed, since what came could not be opened, so nothing
 * but a report follows from it.
 */
export const REFUSAL_HEADER = "Np-Refused";
/** The refusal of a message that does not open, unpack or fit its schema. */
export const BAD_MESSAGE = "bad-message";

/**
 * Packs and seals. Which context belongs to which body:
 *
 * | body | subject | context |
 * | --- | --- | --- |
 * | hub → member: apply, prepare, api, credit, watch, evict, resync | its own | `sessionContext` of the member's session |
 * | the answer to a request, either way | the request's | `answerContext` of the request's box |
 * | member → hub: sync, lease, done, event, chunk | its own | none; a sync and a lease say in their bodies for which hubs' runs they are, and what the same run of a member seals after one of them is of now, too |
 *
 * @param context of `sessionContext` or `answerContext`
 */
export function sealMessage(
  box: Box,
  subject: string,
  message: unknown,
  context?: Uint8Array,
): Uint8Array {
  return box.seal(subject, packMessage(message), context);
}

/**
 * Opens, unpacks and checks.
 *
 * @param bytes from outside: anything
 * @returns the message, and which box it was, for the context of its answer
 * @throws {SealError} if it is no box for this place
 * @throws {MessageError} if what is in it has another shape
 */
export function openMessage<Schema extends z.ZodType>(
  box: Box,
  subject: string,
  schema: Schema,
  bytes: Uint8Array,
  context?: Uint8Array,
): { readonly message: z.output<Schema>; readonly id: BoxId } {
  const { body, sender, counter } = box.open(subject, bytes, context);
  return { message: unpackMessage(schema, body), id: { sender, counter } };
}
