import { createServer, type Socket } from "node:net";
import { createSecureContext } from "node:tls";
import type {
  Arrival,
  Carrier,
  CarrierDialTerms,
  CarrierListener,
} from "../../src/carrier/carrier.ts";
import { PortCertificates } from "../../src/listener/port-certificates.ts";
import { TunnelListener } from "../../src/listener/tunnel-listener.ts";
import type { ByteStream } from "../../src/stream/byte-stream.ts";
import { Lingerer } from "../../src/stream/lingerer.ts";
import { RelayBuffers } from "../../src/stream/relay-buffers.ts";
import { createSelfSignedCertificate } from "../../src/tls/self-signed.ts";
import type { TunnelContext } from "../../src/tunnel-context.ts";
import type { StreamPair } from "./byte-stream-suite.ts";

/** Both sides of a carrier, joined: a listener on a port of its own, and a dialer. */
export interface CarrierBench {
  readonly port: number;
  /** A stream's two ends. */
  open(): Promise<StreamPair>;
  close(): Promise<void>;
}

export interface CarrierBenchOptions {
  readonly tls: boolean;
  /** @default "/" */
  readonly path?: string | undefined;
  readonly terms?: Partial<CarrierDialTerms> | undefined;
  /** An address of its own, for a carrier that binds UDP. @default "127.0.0.1" */
  readonly host?: string | undefined;
}

/** Sets a carrier up as a tunnel's two ends do: behind the listener that tells newcomers apart. */
export async function carrierBench(
  carrier: Carrier,
  options: CarrierBenchOptions,
): Promise<CarrierBench> {
  const { tls, path = "/", host = "127.0.0.1" } = options;
  const buffers = new RelayBuffers();
  const lingerer = new Lingerer();
  const certificate = tls ? await createSelfSignedCertificate() : undefined;
  const log = (): void => {};
  const arrivals: ((arrival: Arrival) => void)[] = [];
  const raw = new Set<Socket>();
  let listener: TunnelListener | undefined;
  const server = createServer(
    { allowHalfOpen: true, highWaterMark: 0, noDelay: true },
    (socket) => {
      raw.add(socket);
      socket.once("close", () => raw.delete(socket));
      listener?.accept(socket);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const listening: CarrierListener = await carrier.listen({
    host,
    port,
    path,
    certificate,
    reportIntervalMs: 5000,
    buffers,
    lingerer,
    newcomers: { timeoutMs: 5000, onDropped: log, expectsMany: () => false },
    log,
    onStream: (arrival) => {
      const taken = arrivals.shift();
      if (taken === undefined) throw new Error("a stream that nobody waits for");
      arrival.known?.();
      taken(arrival);
    },
  });
  const certificates = new PortCertificates();
  if (certificate !== undefined) await certificates.add(certificate);
  listener = new TunnelListener({
    // Of the context it needs the limit and the log alone.
    context: {
      limits: { handshakeTimeoutMs: 5000 } as TunnelContext["limits"],
      logLimited: log,
      offended: () => {},
    },
    certificates,
    poolTls: tls,
    carrier: listening,
    onHandshake: (socket) => socket.destroy(),
    sessions: { size: 0, expectsMany: () => false, silenceMs: () => 0 },
  });
  const dialer = carrier.dial({
    address: host,
    port,
    proxy: undefined,
    serverName: undefined,
    path,
    tls: tls
      ? {
          mode: 1,
          context: createSecureContext({ minVersion: "TLSv1.3" }),
          ca: undefined,
          pin: certificate?.current().fingerprint,
        }
      : undefined,
    reportIntervalMs: 5000,
    buffers,
    lingerer,
    log,
    ...options.terms,
  });
  /** A listener learns of a stream by its first bytes: one goes ahead, and is taken out again. */
  const open = async (): Promise<StreamPair> => {
    const arrived = new Promise<Arrival>((resolve) => arrivals.push(resolve));
    const near = await new Promise<ByteStream>((resolve, reject) => {
      dialer.open({
        onStream: (stream) => {
          stream.write(Buffer.from("N"));
          resolve(stream);
        },
        onFailed: reject,
      });
    });
    const { stream: far, early } = await arrived;
    if (early === undefined) {
      await new Promise<void>((resolve) => {
        far.setReader({
          onBytes: () => {
            resolve();
            return false;
          },
          onEnd: () => {},
          onDrain: () => {},
          onError: () => {},
          onClose: () => {},
        });
        far.resume();
      });
    }
    far.pause();
    return { near, far, close: () => {} };
  };
  return {
    port,
    open,
    close: async () => {
      dialer.close();
      listener?.close();
      listening.close();
      lingerer.close();
      for (const socket of raw) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
