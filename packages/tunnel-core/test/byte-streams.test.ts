import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { createSecureContext } from "node:tls";
import { FramedConnection, type FramedOwner } from "../src/conduit/framed-connection.ts";
import type { ByteStream } from "../src/stream/byte-stream.ts";
import { LEASED, OWNED, SHARED } from "../src/stream/byte-stream.ts";
import { RelayBuffers } from "../src/stream/relay-buffers.ts";
import { adoptTcp, dialTcp, type TcpStream } from "../src/stream/tcp-stream.ts";
import { adoptTls, secureClient, secureServer } from "../src/stream/tls-stream.ts";
import { makeCertificate } from "./peer-114/index.ts";
import { byteStreamSuite, type StreamPair } from "./support/byte-stream-suite.ts";
import { lanePair } from "./support/lane-pair.ts";
import { memoryPair } from "./support/memory-stream.ts";

const buffers = new RelayBuffers();

/** A dialled stream and the socket that was accepted for it. */
async function connected(): Promise<{ near: TcpStream; socket: Socket; close(): void }> {
  // As a tunnel's own: else small writes wait for the peer's delayed acknowledgements.
  const server = createServer({ allowHalfOpen: true, highWaterMark: 0, noDelay: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const accepted = once(server, "connection");
  let near: TcpStream | undefined;
  await new Promise<void>((resolve) => {
    near = dialTcp({ address: "127.0.0.1", port }, buffers, { onConnect: resolve });
  });
  const [socket] = (await accepted) as [Socket];
  if (near === undefined) throw new Error("not dialled");
  return { near, socket, close: () => server.close() };
}

async function tcpPair(): Promise<StreamPair> {
  const { near, socket, close } = await connected();
  return { near, far: adoptTcp(socket, buffers), close };
}

const certificate = await makeCertificate();

async function tlsPair(): Promise<StreamPair> {
  const { near: raw, socket, close } = await connected();
  const state = {
    context: createSecureContext(certificate),
    fingerprint: "",
    notAfter: new Date(),
    names: [],
    pem: () => certificate,
  };
  const secure = secureServer(socket, state);
  const secured = once(secure, "secure");
  const near = await new Promise<ByteStream>((onSecure, onFailed) => {
    const context = createSecureContext();
    const options = {
      mode: 1,
      serverName: undefined,
      address: "127.0.0.1",
      pin: undefined,
    } as const;
    secureClient(raw, { ...options, context }, buffers, { onSecure, onFailed });
  });
  await secured;
  return { near, far: adoptTls(secure, socket, buffers, {}), close };
}

/** A user's stream in frames over another pair. */
async function framedPair(under: () => Promise<StreamPair>): Promise<StreamPair> {
  const { near, far, close } = await under();
  const { flushes } = buffers;
  let resolve: (user: ByteStream) => void = () => {};
  const opened = new Promise<ByteStream>((done) => {
    resolve = done;
  });
  const owner = (role: "entry" | "exit"): FramedOwner => ({
    role,
    onOpenTcp: resolve,
    onOpenUdp: () => {},
    onReusable: (connection) => connection.stream.destroy(),
    onGone: () => {},
    onViolation: (error) => {
      throw error;
    },
  });
  const entry = new FramedConnection(near, "00000001", owner("entry"), flushes);
  const exit = new FramedConnection(far, "00000001", owner("exit"), flushes);
  near.setReader(entry);
  far.setReader(exit);
  const user = entry.open("127.0.0.1:1");
  near.resume();
  far.resume();
  const other = await opened;
  return {
    near: user,
    far: other,
    close: () => {
      near.destroy();
      far.destroy();
      return close();
    },
  };
}

/** A user's stream on a lane, with so many pool connections beside it that it may go on over. */
async function laneStreams(
  under: () => Promise<StreamPair>,
  branches: number,
): Promise<StreamPair> {
  const lanes = lanePair(1);
  const pools: StreamPair[] = [];
  for (let count = 0; count <= branches; count++) {
    const pool = await under();
    pools.push(pool);
    lanes.add([pool.near, pool.far]);
  }
  const { near, far } = await lanes.open();
  return {
    near,
    far,
    async close() {
      lanes.close();
      for (const pool of pools) await pool.close();
    },
  };
}

byteStreamSuite("TCP", tcpPair);
byteStreamSuite("TLS", tlsPair, { tellsResetBehindData: false });
byteStreamSuite("a framed connection over TCP", () => framedPair(tcpPair));
byteStreamSuite("a framed connection over TLS", () => framedPair(tlsPair));
byteStreamSuite("a lane's stream over TCP", () => laneStreams(tcpPair, 0));
byteStreamSuite("a lane's stream over TCP, promoted", () => laneStreams(tcpPair, 3));
byteStreamSuite("a lane's stream over TLS", () => laneStreams(tlsPair, 0));
byteStreamSuite("a lane's stream over TLS, promoted", () => laneStreams(tlsPair, 3));
for (const [title, options] of [
  ["memory, shared reads", { lease: SHARED }],
  ["memory, given away, never at once", { lease: OWNED, writesAtOnce: false }],
  ["memory, little room", { lease: LEASED, capacity: 1000 }],
] as const) {
  byteStreamSuite(title, () => {
    const [near, far] = memoryPair(options);
    return Promise.resolve({ near, far, close: () => {} });
  });
}
