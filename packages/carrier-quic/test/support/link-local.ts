import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createSelfSignedCertificate, Lingerer, RelayBuffers } from "@nodepass/tunnel-core";
import { carrier } from "../../src/index.ts";

/** A QUIC connection between two sockets on a link-local address, in a namespace that has it. */
const HERE = "fe80::1%lo";
const port = 10_101;

const certificate = await createSelfSignedCertificate();
const common = {
  path: "/",
  reportIntervalMs: 5000,
  buffers: new RelayBuffers(),
  lingerer: new Lingerer(),
  newcomers: { timeoutMs: 5000, onDropped: () => {}, expectsMany: () => false },
  log: () => {},
};
let arrived: (address: string) => void = () => {};
const arrival = new Promise<string>((resolve) => {
  arrived = resolve;
});
const listener = await carrier.listen({
  ...{ ...common, host: "", port, certificate },
  onStream: ({ stream, address }) => {
    arrived(address);
    stream.write(Buffer.from("hello"));
    stream.end();
  },
});
// Somebody who sends what begins no connection, first.
const stranger = createSocket("udp6");
stranger.bind(0, HERE);
await once(stranger, "listening");
stranger.send(Buffer.alloc(1200, 0xc0), port, HERE);

const dialer = carrier.dial({
  ...{ ...common, address: HERE, port, proxy: undefined, serverName: undefined },
  // Only QUIC's own TLS is used.
  tls: { mode: 1, context: {} as never, ca: undefined, pin: certificate.current().fingerprint },
});
const heard = await new Promise<string>((resolve, reject) => {
  let text = "";
  dialer.open({
    onFailed: reject,
    onStream: (stream) => {
      stream.setReader({
        onBytes: (buffer, length) => {
          text += buffer.toString("utf8", 0, length);
          return true;
        },
        onEnd: () => stream.end(),
        onDrain: () => {},
        onError: reject,
        onClose: () => resolve(text),
      });
      stream.resume();
      stream.write(Buffer.from("?"));
    },
  });
});
console.log(JSON.stringify({ heard, address: await arrival }));
stranger.close();
dialer.close();
listener.close();
