import { type ClientRequest, type IncomingMessage, request as requestPlain } from "node:http";
import { request as requestSecure } from "node:https";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { type EventStream, type ReadEventsOptions, readEvents } from "./event-stream.ts";

/** One instance as the API answers it; only what tests look at. */
export interface InstanceAnswer {
  readonly id: string;
  readonly alias: string;
  readonly type: string;
  readonly status: string;
  readonly url: string;
  readonly config: string;
  readonly restart: boolean;
  readonly meta: { readonly peer: object; readonly tags: Readonly<Record<string, string>> };
  readonly mode: number;
  readonly pool: number;
  readonly tcprx: number;
  readonly tcptx: number;
}

/** An answer. */
export interface Answer<T = unknown> {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  /** Parsed if it is JSON, else the text. */
  readonly body: T;
}

/** Asks one API with its key, each request over a connection of its own. */
export interface ApiClient {
  readonly base: string;
  ask<T = unknown>(method: string, path: string, body?: unknown): Promise<Answer<T>>;
  /** Asks and expects a success. */
  get<T = unknown>(path: string): Promise<T>;
  create(url: string, alias?: string): Promise<InstanceAnswer>;
  instance(id: string): Promise<InstanceAnswer>;
  /** All but the key's. */
  instances(): Promise<InstanceAnswer[]>;
  events(options?: ReadEventsOptions): Promise<EventStream>;
  /** The same API under another prefix. */
  under(prefix: string): ApiClient;
}

/** @param base URL with the prefix */
export function createApiClient(base: string, key: () => string): ApiClient {
  const send = (method: string, path: string, headers: Record<string, string>): ClientRequest =>
    (base.startsWith("https:") ? requestSecure : requestPlain)(`${base}${path}`, {
      method,
      headers: { "X-API-Key": key(), ...headers },
      agent: false,
      rejectUnauthorized: false,
    });

  const client: ApiClient = {
    base,
    async ask(method, path, body) {
      const request = send(method, path, { "Content-Type": "application/json" });
      request.end(body === undefined ? undefined : JSON.stringify(body));
      const response = await untilResponse(request);
      const content = await text(response);
      const isJson = response.headers["content-type"]?.startsWith("application/json") === true;
      return {
        status: response.statusCode ?? 0,
        headers: response.headers,
        body: isJson ? JSON.parse(content) : content,
      };
    },
    async get<T>(path: string): Promise<T> {
      const { status, body } = await client.ask<T>("GET", path);
      if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`);
      return body;
    },
    async create(url, alias) {
      const { status, body } = await client.ask<InstanceAnswer>("POST", "/instances", {
        url,
        alias,
      });
      if (status !== 201) throw new Error(`POST /instances: ${status} ${JSON.stringify(body)}`);
      return body;
    },
    instance: (id) => client.get(`/instances/${id}`),
    async instances() {
      const all = await client.get<InstanceAnswer[]>("/instances");
      return all.filter(({ type }) => type !== "");
    },
    async events(options) {
      const request = send("GET", "/events", { Accept: "text/event-stream" });
      request.end();
      onTestFinished(() => {
        request.on("error", () => undefined).destroy();
      });
      return readEvents(await untilResponse(request), options);
    },
    under: (prefix) => createApiClient(`${new URL(base).origin}${prefix}`, key),
  };
  return client;
}

function untilResponse(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once("response", resolve).once("error", reject);
  });
}
