import { afterAll, describe } from "vitest";
// The suite that every implementation of a byte stream passes; it is no part of a package.
// @boundaries-ignore a test of another package's suite
import {
  byteStreamSuite,
  type StreamPair,
} from "../../tunnel-core/test/support/byte-stream-suite.ts";
// @boundaries-ignore as above
import { type CarrierBench, carrierBench } from "../../tunnel-core/test/support/carrier-pair.ts";
import { carrier } from "../src/index.ts";

const host = `127.${64 + ((process.pid >> 8) & 0x3f)}.${process.pid & 0xff}.4`;

describe("QUIC carrier", () => {
  let bench: CarrierBench | undefined;

  const open = async (): Promise<StreamPair> => {
    bench ??= await carrierBench(carrier, { tls: true, host });
    return bench.open();
  };

  afterAll(async () => {
    await bench?.close();
  });

  byteStreamSuite("QUIC", open);
});
