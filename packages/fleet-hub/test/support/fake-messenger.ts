import {
  type ApiAnswer,
  type ApiRequest,
  type Chunk,
  type Credit,
  MAX_CHUNK_BYTES,
} from "@nodepass/fleet-protocol";
import { trustedEnvironment } from "@nodepass/master-api";
import { ServiceError } from "@nodepass/model";
import type { MemberFacts, Messenger, Presence } from "../../src/index.ts";

/** A master behind the messenger. */
export interface FakeMember {
  /** Its API, as an agent has it. */
  readonly fetch: (request: Request, environment: object) => Response | Promise<Response>;
  session: string;
  readonly prefix?: string | undefined;
  /** What was asked of it, newest last. */
  readonly asked: ApiRequest[];
}

interface Sending {
  readonly mid: string;
  credit: number;
  readonly sent: { bytes: number };
  wake: (() => void) | undefined;
  cancelled: boolean;
}

/** Passes requests to members in this process, in the form and with the credit of the wire. */
export class FakeMessenger implements Pick<Messenger, "api" | "credit" | "closeStream"> {
  readonly members = new Map<string, FakeMember>();
  /** By the stream's id. */
  readonly sending = new Map<string, Sending>();
  readonly closed: string[] = [];
  readonly credits: (Credit & { mid: string })[] = [];
  /** Spoils a chunk on its way; `undefined` swallows it. */
  onTheWay: (chunk: Chunk) => Chunk | undefined = (chunk) => chunk;
  readonly #statusListeners = new Set<(mid: string, facts: MemberFacts) => void>();
  readonly #syncListeners = new Set<(mid: string) => void>();
  readonly lost = new Set<string>();

  add(mid: string, member: Pick<FakeMember, "fetch" | "prefix">): FakeMember {
    const added: FakeMember = { ...member, session: "0000000000000001", asked: [] };
    this.members.set(mid, added);
    return added;
  }

  /** It is there no more, without a word. */
  lose(mid: string): void {
    this.lost.add(mid);
    for (const listener of this.#statusListeners) listener(mid, this.presence.facts(mid));
  }

  /** Its process was started anew. */
  restart(mid: string): void {
    const member = this.members.get(mid);
    if (member !== undefined) member.session = "0000000000000002";
    for (const listener of this.#syncListeners) listener(mid);
  }

  readonly presence: Pick<Presence, "facts" | "onStatus" | "onSync"> = {
    facts: (mid) => ({
      status: this.lost.has(mid) || !this.members.has(mid) ? "lost" : "online",
      heardAt: 0,
      sealedAt: 0,
      heardAtWall: 0,
      session: this.members.get(mid)?.session,
      heartbeat: undefined,
      version: "1.2.3",
      prefix: this.members.get(mid)?.prefix ?? "/api",
      allow: ["apply", "api", "read"],
      duplicate: false,
      synced: true,
    }),
    onStatus: (listener) => {
      this.#statusListeners.add(listener);
      return () => this.#statusListeners.delete(listener);
    },
    onSync: (listener) => {
      this.#syncListeners.add(listener);
      return () => this.#syncListeners.delete(listener);
    },
  };

  async api(
    mid: string,
    message: ApiRequest,
    onChunk: (chunk: Chunk) => void,
    signal?: AbortSignal,
  ): Promise<ApiAnswer> {
    const member = this.members.get(mid);
    if (member === undefined) throw new ServiceError("NOT_FOUND", "there is no such master");
    if (this.lost.has(mid)) {
      throw new ServiceError("UNAVAILABLE", "the master is not connected");
    }
    member.asked.push(message);
    const headers = new Headers(message.headers);
    const request = new Request(`http://member${message.path}`, {
      method: message.method,
      headers,
      body: message.body.byteLength === 0 ? null : message.body,
    });
    const { access, remote: remoteAddress } = message;
    const by =
      access === "key" ? { remoteAddress } : trustedEnvironment({ role: access, remoteAddress });
    const answering = Promise.resolve(member.fetch(request, by));
    const response = await (signal === undefined
      ? answering
      : Promise.race([answering, aborted(signal)]));
    return this.#answer(mid, message, response, onChunk);
  }

  credit(mid: string, credit: Credit): void {
    this.credits.push({ ...credit, mid });
    const sending = this.sending.get(credit.stream);
    if (sending === undefined) return;
    sending.credit += credit.bytes;
    sending.cancelled ||= credit.cancel;
    sending.wake?.();
  }

  closeStream(_mid: string, stream: string): void {
    this.closed.push(stream);
  }

  async #answer(
    mid: string,
    message: ApiRequest,
    response: Response,
    onChunk: (chunk: Chunk) => void,
  ): Promise<ApiAnswer> {
    const headers = [...response.headers].map(([name, value]): [string, string] => [name, value]);
    const head = { status: response.status, headers };
    const none = new Uint8Array(0);
    if (response.body === null) return { ...head, body: none, streamed: false };
    const isEvents = response.headers.get("content-type")?.startsWith("text/event-stream");
    const reader = response.body.getReader();
    if (isEvents !== true) {
      const first: Uint8Array[] = [];
      let length = 0;
      while (length <= MAX_CHUNK_BYTES) {
        const { done, value } = await reader.read();
        if (done) return { ...head, body: new Uint8Array(Buffer.concat(first)), streamed: false };
        first.push(value);
        length += value.byteLength;
      }
      void this.#send(mid, message, reader, first, onChunk);
    } else void this.#send(mid, message, reader, [], onChunk);
    return { ...head, body: none, streamed: true };
  }

  async #send(
    mid: string,
    { stream, credit }: ApiRequest,
    reader: ReadableStreamDefaultReader<Uint8Array>,
    first: Uint8Array[],
    onChunk: (chunk: Chunk) => void,
  ): Promise<void> {
    const sending: Sending = {
      mid,
      credit,
      sent: { bytes: 0 },
      wake: undefined,
      cancelled: false,
    };
    this.sending.set(stream, sending);
    let n = 0;
    const say = (data: Uint8Array, end: boolean, error = ""): void => {
      if (this.lost.has(mid)) return;
      const told = this.onTheWay({ n: n++, data: new Uint8Array(data), end, error });
      if (told !== undefined) onChunk(told);
    };
    try {
      for (;;) {
        const whole = first.shift() ?? (await readOrCancel(reader, sending));
        if (whole === undefined) break;
        for (let at = 0; at < whole.byteLength; at += MAX_CHUNK_BYTES) {
          const data = whole.subarray(at, at + MAX_CHUNK_BYTES);
          while (sending.credit < data.byteLength && !sending.cancelled) await woken(sending);
          if (sending.cancelled) break;
          sending.credit -= data.byteLength;
          sending.sent.bytes += data.byteLength;
          say(data, false);
        }
      }
      if (!sending.cancelled) say(new Uint8Array(0), true);
    } catch (error) {
      say(new Uint8Array(0), false, String(error));
    } finally {
      void reader.cancel().catch(() => undefined);
      this.sending.delete(stream);
    }
  }
}

async function readOrCancel(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  sending: Sending,
): Promise<Uint8Array | undefined> {
  const read = reader.read();
  for (;;) {
    if (sending.cancelled) return undefined;
    const result = await Promise.race([read, woken(sending)]);
    if (result !== undefined) return result.done ? undefined : result.value;
  }
}

function woken(sending: Sending): Promise<undefined> {
  return new Promise((resolve) => {
    sending.wake = () => resolve(undefined);
  });
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = () => reject(signal.reason);
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });
}
