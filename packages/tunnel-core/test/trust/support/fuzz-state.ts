import type { FuzzedDecoder } from "./fuzz-decoders.ts";

/** What is used of the state file's code; this package knows nothing else of it. */
interface StateCode {
  decodeState(bytes: Uint8Array): unknown;
  encodeState(state: unknown): Uint8Array;
  encodeEnvelope(envelope: { version: number; body: Uint8Array }): Uint8Array;
  decodeEnvelope(bytes: Uint8Array): { version: number; body: Uint8Array };
}

const STORE = new URL("../../../../store/src/", import.meta.url);

async function load(file: string): Promise<object> {
  return import(new URL(file, STORE).href);
}

/** The decoder of the master's state file, with and without its checksum in the way. */
export async function stateDecoders(): Promise<FuzzedDecoder[]> {
  const files = ["decode-state.ts", "encode-state.ts", "state-envelope.ts"];
  const code = Object.assign({}, ...(await Promise.all(files.map(load)))) as StateCode;
  const instance = {
    id: "0a1b2c3d",
    alias: "web",
    type: "server",
    url: "server://secret@0.0.0.0:10101/127.0.0.1:8080",
    restart: true,
    running: true,
    meta: { peer: { sid: "a", type: "b", alias: "c" }, tags: { region: "x" } },
    tcprx: 1,
    tcptx: 2 ** 40,
    udprx: 0,
    udptx: 300,
  };
  const state = { version: 1, masterId: "0123456789abcdef", alias: "", apiKey: "k" };
  const good = [[], [instance]].map((instances) =>
    Buffer.from(code.encodeState({ ...state, instances })),
  );
  const allows = (error: unknown): boolean =>
    error instanceof Error && ["UNREADABLE", "FUTURE_VERSION"].includes(String(Object(error).code));
  return [
    { name: "state file", good, run: (bytes) => void code.decodeState(bytes), allows },
    {
      name: "state file body",
      good: good.map((bytes) => Buffer.from(code.decodeEnvelope(bytes).body)),
      // The checksum is made anew, so that the changes get behind it.
      run: (body) => void code.decodeState(code.encodeEnvelope({ version: 1, body })),
      allows,
    },
  ];
}
