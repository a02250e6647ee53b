import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { UdpListener } from "./udp-listener.ts";
import { answerUser, createUdpSocket } from "./udp-socket.ts";

// Files share a worker, and some of them set the clock.
beforeEach(() => {
  vi.useRealTimers();
});

const open: { close(): unknown }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

async function bound(socket: Socket, address: string): Promise<Socket> {
  const listening = once(socket, "listening");
  socket.bind(0, address);
  await listening;
  return socket;
}

test("answers from the wildcard where the address that was asked can't be bound", async () => {
  // Without sharing its port, so that no other address of it can be bound.
  const main = await bound(createUdpSocket(4), "0.0.0.0");
  const errors: Error[] = [];
  const listener = new UdpListener({ socket: main, wildcard: 4 });
  const onError = (error: Error): void => {
    errors.push(error);
  };
  listener.hold(onError);
  open.push({ close: () => listener.release(onError) });
  let answered: Socket | undefined;
  listener.start({
    knows: () => false,
    onDatagram: (datagram, from, door) => {
      const at = listener.doorFor(from, door);
      answered = at.socket;
      answerUser(at.socket, datagram, from.port, from.address);
    },
    onGone: () => {},
  });
  const user = await bound(createSocket("udp4"), "127.0.77.2");
  open.push(user);
  user.connect(listener.port, "127.0.77.1");
  await once(user, "connect");
  errors.length = 0;
  user.send("x");
  await vi.waitFor(() => expect(answered).toBeDefined());
  expect(answered).toBe(main);
  expect(errors).toMatchObject([{ code: "EADDRINUSE" }]);
});
