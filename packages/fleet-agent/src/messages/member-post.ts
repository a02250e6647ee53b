import { ClosedConnectionError, headers, type Msg, type MsgHdrs } from "@nats-io/nats-core";
import {
  answerContext,
  BAD_MESSAGE,
  type Box,
  boxIdOf,
  MessageError,
  memberSubjects,
  openBox,
  openMessage,
  REFUSAL_HEADER,
  SealError,
  sealMessage,
  sessionContext,
} from "@nodepass/fleet-protocol";
import type { Logger } from "@nodepass/model";
import type { z } from "zod";
import type { EngineLine } from "../engine/engine-line.ts";
import type { FleetFileData } from "../file/fleet-file.ts";
import { boxPairsOf } from "../join/hub-keys.ts";

/** So often at most a bad message is logged, ms; they are counted in between. */
const LOG_INTERVAL_MS = 60_000;

/** What is done with one kind of message. */
interface Handler {
  readonly schema: z.ZodType;
  /** Does not throw. @returns the answer; nothing for one that needs none */
  handle(message: unknown): unknown;
}

/**
 * Seals what a member says and opens what it is told. Whoever handles a message knows that it is of
 * the fleet's hub, for this process, in this shape and for the first time.
 */
export class MemberPost {
  readonly subjects: ReturnType<typeof memberSubjects>;
  readonly #box: Box;
  readonly #session: Uint8Array;
  readonly #logger: Logger;
  readonly #handlers = new Map<string, Handler>();
  #line: EngineLine | undefined;
  #bad = 0;
  #loggedAt = Number.NEGATIVE_INFINITY;

  constructor(data: FleetFileData, logger: Logger) {
    this.subjects = memberSubjects(data.fleet, data.mid);
    const [pair, ...others] = boxPairsOf(data);
    this.#box = openBox({ ...pair, others, side: "member" });
    this.#session = sessionContext(this.#box.nonce);
    this.#logger = logger;
  }

  /** The boot nonce of this process. */
  get session(): string {
    return this.#box.nonce;
  }

  /** Messages that could not be taken, so far. */
  get badMessages(): number {
    return this.#bad;
  }

  /** The fleet's keys are others now. */
  useKeys(data: FleetFileData): void {
    this.#box.use(boxPairsOf(data));
  }

  use(line: EngineLine): void {
    this.#line = line;
  }

  /** Says what is done with the messages of a subject. */
  on<Schema extends z.ZodType>(
    subject: string,
    schema: Schema,
    handle: (message: z.output<Schema>) => unknown,
  ): void {
    // `take` gives it only what the schema has checked.
    this.#handlers.set(subject, { schema, handle: handle as Handler["handle"] });
  }

  /** Not sealed: a heartbeat. */
  sayOpenly(subject: string, body: Uint8Array): boolean {
    return this.#line?.publish(subject, body) ?? false;
  }

  /** @returns whether it went out */
  say(subject: string, message: unknown): boolean {
    if (this.#line?.connected !== true) return false;
    return this.#line.publish(subject, sealMessage(this.#box, subject, message));
  }

  /** @throws whatever keeps an answer from coming that can be read */
  async ask<Schema extends z.ZodType>(
    subject: string,
    message: unknown,
    schema: Schema,
    timeoutMs: number,
  ): Promise<z.output<Schema>> {
    if (this.#line === undefined) throw new Error("not connected");
    const asked = sealMessage(this.#box, subject, message);
    const answer = await this.#line.request(subject, asked, timeoutMs);
    const context = answerContext(boxIdOf(asked));
    return openMessage(this.#box, subject, schema, answer, context).message;
  }

  /** One message of the engine; never throws. */
  take(message: Msg): void {
    void this.#take(message).catch((error: unknown) => {
      this.#logger.error(
        { subject: message.subject, reason: String(error) },
        "fleet message failed",
      );
    });
  }

  async #take(message: Msg): Promise<void> {
    const { subject } = message;
    const handler = this.#handlers.get(subject);
    let opened: { readonly message: unknown; readonly id: Parameters<typeof answerContext>[0] };
    try {
      if (handler === undefined) throw new MessageError("no such subject");
      opened = openMessage(this.#box, subject, handler.schema, message.data, this.#session);
    } catch (error) {
      if (!(error instanceof MessageError || error instanceof SealError)) throw error;
      this.#refuse(message, error);
      return;
    }
    const answer = await handler.handle(opened.message);
    if (answer === undefined || message.reply === undefined || message.reply === "") return;
    respond(message, sealMessage(this.#box, subject, answer, answerContext(opened.id)));
  }

  #refuse(message: Msg, { code, message: reason }: MessageError | SealError): void {
    this.#bad++;
    const now = performance.now();
    if (now - this.#loggedAt > LOG_INTERVAL_MS) {
      this.#loggedAt = now;
      const fields = { subject: message.subject, code, reason, dropped: this.#bad };
      this.#logger.warn(fields, "bad message of the fleet dropped");
    }
    if (message.reply === undefined || message.reply === "") return;
    const said = headers();
    said.set(REFUSAL_HEADER, BAD_MESSAGE);
    respond(message, new Uint8Array(), { headers: said });
  }
}

function respond(message: Msg, body: Uint8Array, options: { headers?: MsgHdrs } = {}): void {
  try {
    message.respond(body, options);
  } catch (error) {
    // Whoever asked hears nothing, as of any connection that was cut meanwhile.
    if (!(error instanceof ClosedConnectionError)) throw error;
  }
}
