import { test } from "vitest";
import { DatagramDecoder, FRAME_HEADER_BYTES, writeFrameHeader } from "./datagram-frame.ts";
import { createHelloWriter, parseHello, verifyHello } from "./pool-hello.ts";
import type { Signal } from "./signal.ts";
import { SignalDecoder } from "./signal-decoder.ts";
import { createSignalEncoder } from "./signal-encoder.ts";

const KEY = "a-key-of-the-benchmark";

test("signals", async ({ bench }) => {
  const signal: Signal = { action: "tcp", remote: "203.0.113.7:50123", id: "0000beef" };
  const encode = createSignalEncoder(KEY);
  const line = Buffer.from(encode(signal), "latin1");
  const turn = Buffer.concat(Array.from({ length: 16 }, () => line));
  const decoder = new SignalDecoder(KEY);
  await bench("encode a tcp signal", () => {
    encode(signal);
  }).run();
  await bench("decode a tcp signal", () => {
    decoder.push(line);
  }).run();
  await bench("decode 16 tcp signals of one read", () => {
    decoder.push(turn);
  }).run();
});

test("pool hellos", async ({ bench }) => {
  const sessionKey = Buffer.alloc(32, 7);
  const write = createHelloWriter(Buffer.alloc(8, 1), sessionKey);
  const hello = write(1);
  await bench("write a hello", () => {
    write(1);
  }).run();
  await bench("read and verify a hello", () => {
    const parsed = parseHello(hello);
    if (parsed === undefined || !verifyHello(parsed, sessionKey)) throw new Error("refused");
  }).run();
});

test("datagram frames", async ({ bench }) => {
  const size = FRAME_HEADER_BYTES + 512;
  const chunk = Buffer.alloc(32 * size);
  for (let at = 0; at < chunk.length; at += size) writeFrameHeader(chunk, at, 512);
  const decoder = new DatagramDecoder();
  let bytes = 0;
  const onDatagram = (payload: Buffer): void => {
    bytes += payload.length;
  };
  await bench("cut 32 datagrams of 512 bytes out of one read", () => {
    decoder.push(chunk, onDatagram);
  }).run();
  const middle = chunk.length / 2 + 100;
  const [front, back] = [chunk.subarray(0, middle), chunk.subarray(middle)];
  await bench("the same in two reads, one datagram cut", () => {
    decoder.push(front, onDatagram);
    decoder.push(back, onDatagram);
  }).run();
  if (bytes === 0) throw new Error("nothing was cut");
});
