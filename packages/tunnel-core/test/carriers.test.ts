import { afterAll, describe } from "vitest";
import { http2Carrier } from "../src/carrier/http2/http2-carrier.ts";
import { tcpCarrier } from "../src/carrier/tcp-carrier.ts";
import { webSocketCarrier } from "../src/carrier/websocket/websocket-carrier.ts";
import { byteStreamSuite, type StreamPair } from "./support/byte-stream-suite.ts";
import { type CarrierBench, carrierBench } from "./support/carrier-pair.ts";
import { expectNoSockets } from "./support/no-leaks.ts";

describe.each([
  ["TCP carrier", tcpCarrier, false, {}],
  ["TCP carrier with TLS", tcpCarrier, true, { tellsResetBehindData: false }],
  ["WebSocket carrier", webSocketCarrier, false, {}],
  ["WebSocket carrier with TLS", webSocketCarrier, true, {}],
  ["HTTP/2 carrier", http2Carrier, true, {}],
] as const)("%s", (name, carrier, tls, options) => {
  let bench: CarrierBench | undefined;

  const open = async (): Promise<StreamPair> => {
    bench ??= await carrierBench(carrier, { tls, path: "/some/where" });
    return bench.open();
  };

  afterAll(async () => {
    await bench?.close();
    bench = undefined;
    await expectNoSockets();
  });

  byteStreamSuite(name, open, options);
});
