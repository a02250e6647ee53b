import type { FollowOptions } from "@nodepass/master-client";
import type { CliContext, StopRequests } from "../context.ts";
import { createStyle, hasColour } from "../output/colour.ts";
import { hideKeys } from "../output/hide-keys.ts";

/**
 * Follows events until the command is asked to stop; says on standard error when the stream breaks and
 * when it is back.
 *
 * @param followed who tells them
 * @param follow follows them with these options
 * @param onFirstOpen runs once, beside the events, as soon as they are told; its error ends it all
 */
export async function followUntilStopped(
  context: CliContext,
  followed: { readonly origin: string },
  follow: (options: FollowOptions) => Promise<void>,
  onFirstOpen: () => Promise<void> = async () => undefined,
): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([toSignal(context.watchStop()), failed.signal]);
  let isFirst = true;
  const { yellow } = createStyle(hasColour(context.stderr, context.environment));
  const say = (text: string) => context.stderr.write(`${yellow("nodepass:")} ${text}\n`);
  let isLost = false;
  await follow({
    signal,
    onOpen: () => {
      if (isFirst) onFirstOpen().catch((error: unknown) => failed.abort(error));
      isFirst = false;
      if (isLost) say(`connected again to ${followed.origin}`);
      isLost = false;
    },
    onLost: (reason) => {
      if (!isLost) say(`${hideKeys(reason)}; trying again`);
      isLost = true;
    },
  });
  if (failed.signal.aborted) throw failed.signal.reason;
}

/** A signal that aborts at the first request to stop. */
export function toSignal(stop: StopRequests): AbortSignal {
  const controller = new AbortController();
  void stop.requested.then(() => controller.abort());
  return controller.signal;
}
