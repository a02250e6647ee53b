import { followEvents, type MasterClient, type RemoteEvent } from "@nodepass/master-client";
import type { CliContext, StopRequests } from "../context.ts";
import { createStyle, hasColour } from "../output/colour.ts";
import { hideKeys } from "../output/hide-keys.ts";

/**
 * Follows a master's events until the command is asked to stop; says on standard error when the
 * stream breaks and when it is back.
 */
export async function followUntilStopped(
  context: CliContext,
  client: MasterClient,
  onEvent: (event: RemoteEvent) => void,
): Promise<void> {
  const signal = toSignal(context.watchStop());
  const { yellow } = createStyle(hasColour(context.stderr, context.environment));
  const say = (text: string) => context.stderr.write(`${yellow("nodepass:")} ${text}\n`);
  let isLost = false;
  await followEvents(client, {
    signal,
    onEvent,
    onOpen: () => {
      if (isLost) say(`connected again to ${client.origin}`);
      isLost = false;
    },
    onLost: (reason) => {
      if (!isLost) say(`${hideKeys(reason)}; trying again`);
      isLost = true;
    },
  });
}

/** A signal that aborts at the first request to stop. */
export function toSignal(stop: StopRequests): AbortSignal {
  const controller = new AbortController();
  void stop.requested.then(() => controller.abort());
  return controller.signal;
}
