import { headers, type NatsConnection } from "@nats-io/nats-core";
import { BAD_MESSAGE, REFUSAL_HEADER } from "@nodepass/fleet-protocol";
import { expect, it } from "vitest";
import { EngineLine } from "./engine-line.ts";

it("says of a hub that refuses that it refuses, not what its empty answer looks like", async () => {
  let isClosed = () => undefined as unknown;
  const said = headers();
  said.set(REFUSAL_HEADER, BAD_MESSAGE);
  // Only what the line uses of a connection.
  const connection = {
    request: async () => ({ data: new Uint8Array(), headers: said }),
    subscribe: () => undefined,
    closed: () =>
      new Promise((resolve) => {
        isClosed = () => resolve(undefined);
      }),
    isClosed: () => false,
    flush: async () => undefined,
    close: async () => isClosed(),
  } as unknown as NatsConnection;
  const line = new EngineLine({
    connect: async () => connection,
    subject: "np.f.m.x.>",
    onMessage: () => undefined,
    onConnected: () => opened(),
    onCut: () => undefined,
    onFailed: () => undefined,
  });
  let opened = (): void => undefined;
  const connected = new Promise<void>((resolve) => {
    opened = resolve;
  });
  line.open();
  await connected;
  await expect(line.request("np.f.sync.x", new Uint8Array(40), 100)).rejects.toThrow(
    "a hub has answered bad-message: it does not know this master",
  );
  await line.close();
});
