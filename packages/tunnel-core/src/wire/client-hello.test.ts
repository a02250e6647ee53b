import { once } from "node:events";
import { connect as connectTcp, createServer } from "node:net";
import { connect } from "node:tls";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { MAX_HELLO_BYTES, serverNameOf } from "./client-hello.ts";

/** The ClientHello that Node's OpenSSL sends. */
async function helloFor(servername: string | undefined): Promise<Buffer> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const socket = connectTcp(port, "127.0.0.1");
  const client = connect({ socket, rejectUnauthorized: false, ...(servername && { servername }) });
  client.on("error", () => {});
  const [accepted] = await once(server, "connection");
  accepted.on("error", () => {});
  const [hello] = await once(accepted, "data");
  client.destroy();
  accepted.destroy();
  server.close();
  return hello;
}

/** The same handshake message in records of so many bytes. */
function inRecordsOf(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part);
  }
  return Buffer.concat(records);
}

/** A ClientHello of these extensions. */
function made(extensions: readonly (readonly [type: number, value: Buffer])[]): Buffer {
  const list = Buffer.concat(
    extensions.map(([type, value]) =>
      Buffer.concat([
        Buffer.from([type >> 8, type & 255, value.length >> 8, value.length & 255]),
        value,
      ]),
    ),
  );
  const body = Buffer.concat([
    ...[Buffer.from([3, 3]), Buffer.alloc(32, 7), Buffer.from([0, 0, 2, 0x13, 0x01, 1, 0])],
    ...[Buffer.from([list.length >> 8, list.length & 255]), list],
  ]);
  const message = Buffer.concat([Buffer.from([1, 0, body.length >> 8, body.length & 255]), body]);
  return Buffer.concat([
    Buffer.from([22, 3, 1, message.length >> 8, message.length & 255]),
    message,
  ]);
}

const sni = (name: string): readonly [number, Buffer] => {
  const text = Buffer.from(name);
  const head = [0, text.length + 3, 0, 0, text.length];
  return [0, Buffer.concat([Buffer.from(head), text])];
};

describe("a real ClientHello", () => {
  let hello: Buffer;
  beforeAll(async () => {
    hello = await helloFor("App.Example.com");
  });

  test("gives its name", () => {
    expect(serverNameOf(hello)).toEqual({ is: "tls", name: "app.example.com" });
    // What follows is somebody else's.
    expect(serverNameOf(Buffer.concat([hello, Buffer.from("garbage")])).is).toBe("tls");
  });

  test("waits for its last byte, wherever it is cut", () => {
    for (let cut = 0; cut < hello.length; cut++) {
      expect([cut, serverNameOf(hello.subarray(0, cut)).is]).toEqual([cut, "more"]);
    }
  });

  test("may lie in any number of records", () => {
    for (const size of [1, 2, 3, 4, 5, 16, 100, 1000]) {
      const records = inRecordsOf(hello, size);
      expect(serverNameOf(records)).toEqual({ is: "tls", name: "app.example.com" });
      expect(serverNameOf(records.subarray(0, records.length - 1)).is).toBe("more");
    }
  });

  test("may have no name", async () => {
    expect(serverNameOf(await helloFor(undefined))).toEqual({ is: "tls", name: undefined });
  });
});

describe("a made ClientHello", () => {
  test("passes over greased values and what it does not know", () => {
    const grease = [0x0a0a, Buffer.alloc(0)] as const;
    const other = [0xfafa, Buffer.alloc(300, 1)] as const;
    expect(
      serverNameOf(made([grease, other, sni("a.example."), [0x1a1a, Buffer.alloc(1)]])),
    ).toEqual({
      is: "tls",
      name: "a.example",
    });
  });

  test("with Encrypted ClientHello has the outer name", () => {
    // encrypted_client_hello, type 0xfe0d (RFC 9849): an outer one with an opaque payload.
    const ech = [
      0xfe0d,
      Buffer.concat([Buffer.from([0, 0, 1, 0, 1, 42, 0, 0]), Buffer.alloc(200, 9)]),
    ] as const;
    expect(serverNameOf(made([ech, sni("public.example")]))).toEqual({
      is: "tls",
      name: "public.example",
    });
  });

  test.each([
    ["no extension", made([]), { is: "tls", name: undefined }],
    ["a list that is too long", made([[0, Buffer.from([0, 99, 0, 0, 1, 97])]]), { is: "other" }],
    ["a name that is too long", made([[0, Buffer.from([0, 4, 0, 0, 9, 97])]]), { is: "other" }],
    [
      "another kind of name",
      made([[0, Buffer.from([0, 4, 7, 0, 1, 97])]]),
      { is: "tls", name: undefined },
    ],
    ["a ServerHello", Buffer.from("16030100040200000000", "hex"), { is: "other" }],
    ["an alert", Buffer.from("15030300020228", "hex"), { is: "other" }],
    ["a record of no bytes", Buffer.from("1603010000", "hex"), { is: "other" }],
    ["too long a hello", Buffer.from("16030100040100ffff", "hex"), { is: "other" }],
    ["text", Buffer.from("GET / HTTP/1.1"), { is: "other" }],
  ])("%s", (_what, bytes, expected) => {
    expect(serverNameOf(bytes)).toEqual(expected);
  });

  test("takes any bytes, and waits for no more than its bound", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        serverNameOf(Buffer.from(noise));
        serverNameOf(Buffer.concat([Buffer.from("1603010100010000fc0303", "hex"), noise]));
      }),
      { numRuns: 2000 },
    );
    const longest = Buffer.alloc(2 * MAX_HELLO_BYTES + 100, 0);
    expect(serverNameOf(longest).is).toBe("other");
  });
});
