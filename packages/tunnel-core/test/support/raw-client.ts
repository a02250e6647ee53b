import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect, type Socket } from "node:net";
import { createHelloWriter } from "../../src/wire/pool-hello.ts";
import {
  clientProof,
  newClientId,
  newNonce,
  ProofKeys,
  sessionKey,
  signalKey,
  stretchTunnelKey,
} from "../../src/wire/proof.ts";
import { openingHeaders, parseChallenge, proofHeaders } from "../../src/wire/proof-headers.ts";
import { parseProvedAnswer } from "../../src/wire/proved-answer.ts";
import type { Signal } from "../../src/wire/signal.ts";
import { createSignalEncoder } from "../../src/wire/signal-encoder.ts";

/** A client that knows the key and does what it likes, as far as TCP goes. */
export interface RawClient {
  readonly control: Socket;
  /** Text of a control line. */
  line(signal: Signal): string;
  /** Opens a pool connection that says hello. */
  pool(counter: number): Promise<Socket>;
  /** The hello of that counter. */
  hello(counter: number): Buffer;
  close(): void;
}

/** Meets the server at this port by proof, plain TCP, and opens the control connection. */
export async function startRawClient(port: number, key = "secret"): Promise<RawClient> {
  const keys = new ProofKeys(await stretchTunnelKey(key));
  const clientNonce = newNonce();
  const client = newClientId();
  const extensions = ["datagrams"];
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const opening = await get(port, agent, openingHeaders(clientNonce));
  const serverNonce = parseChallenge(opening.challenge);
  if (serverNonce === undefined) throw new Error("no challenge");
  const proof = clientProof(keys, {
    method: "GET",
    path: "/",
    host: "none",
    clientNonce,
    serverNonce,
    client,
    extensions,
  });
  const reply = await get(port, agent, proofHeaders({ clientNonce, client, extensions, proof }));
  agent.destroy();
  const answer = parseProvedAnswer(reply.body, extensions);
  const sessionId = Buffer.from(answer.session, "hex");
  const session = sessionKey(keys, { clientNonce, serverNonce, sessionId });
  const hello = createHelloWriter(sessionId, session);
  const sockets: Socket[] = [];
  const pool = async (counter: number): Promise<Socket> => {
    const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    sockets.push(socket);
    socket.on("error", () => {});
    await once(socket, "connect");
    socket.write(hello(counter));
    return socket;
  };
  const encode = createSignalEncoder(signalKey(session));
  const control = await pool(0);
  return {
    control,
    line: encode,
    pool,
    hello,
    close: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function get(
  port: number,
  agent: Agent,
  headers: Record<string, string>,
): Promise<{ challenge: string | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: "127.0.0.1", port, agent, path: "/", headers: { Host: "none", ...headers } },
      (response) => {
        let body = "";
        response.on("data", (chunk: Buffer) => {
          body += String(chunk);
        });
        response.once("end", () =>
          resolve({ challenge: response.headers["www-authenticate"], body }),
        );
      },
    );
    asked.once("error", reject);
    asked.end();
  });
}
