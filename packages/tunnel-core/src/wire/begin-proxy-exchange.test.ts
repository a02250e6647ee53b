import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TunnelError } from "../errors.ts";
import { beginProxyExchange } from "./begin-proxy-exchange.ts";

const credentials = { user: "ann", password: "p@ss:w" };

interface Talk {
  readonly sent: readonly string[];
  readonly outcome: string;
}

/** Answers each thing that is sent with the next of `answers`, cut into pieces of `size`. */
function talk(
  how: Parameters<typeof beginProxyExchange>[0],
  to: { host: string; port: number },
  answers: readonly string[],
  size = 1000,
): Talk {
  const sent: string[] = [];
  try {
    const exchange = beginProxyExchange(how, to);
    sent.push(exchange.opening.toString("hex"));
    for (const answer of answers) {
      const bytes = Buffer.from(answer, "hex");
      let last = "";
      for (let at = 0; at < bytes.length; at += size) {
        const step = exchange.push(bytes.subarray(at, at + size));
        if (step.kind === "send") sent.push(step.bytes.toString("hex"));
        if (step.kind === "done") {
          const rest = bytes.subarray(at + size);
          const all = Buffer.concat([step.rest ?? Buffer.alloc(0), rest]);
          return { sent, outcome: `done ${all.toString("hex")}` };
        }
        last = step.kind;
      }
      if (last === "more") return { sent, outcome: "more" };
    }
    return { sent, outcome: "waits" };
  } catch (error) {
    expect(error).toBeInstanceOf(TunnelError);
    expect(error).toMatchObject({ code: "PROXY_FAILED" });
    const { message } = error as TunnelError;
    expect(message).not.toContain(credentials.password);
    return { sent, outcome: message.replace(/^.* opened no connection: /, "") };
  }
}

function hex(text: string): string {
  return Buffer.from(text, "latin1").toString("hex");
}

const http = { protocol: "http", credentials: undefined } as const;
const socks = { protocol: "socks5", credentials: undefined } as const;
const name = { host: "tunnel.example.org", port: 443 };

describe("HTTP CONNECT", () => {
  test("asks by name, IPv4 and IPv6", () => {
    const { sent } = talk(http, name, []);
    expect(Buffer.from(sent[0] ?? "", "hex").toString()).toBe(
      "CONNECT tunnel.example.org:443 HTTP/1.1\r\nHost: tunnel.example.org:443\r\n\r\n",
    );
    const six = talk(http, { host: "2001:db8::1", port: 7 }, []);
    expect(Buffer.from(six.sent[0] ?? "", "hex").toString()).toBe(
      "CONNECT [2001:db8::1]:7 HTTP/1.1\r\nHost: [2001:db8::1]:7\r\n\r\n",
    );
  });

  test("sends user and password as Basic at once", () => {
    const { sent } = talk({ ...http, credentials }, name, []);
    expect(Buffer.from(sent[0] ?? "", "hex").toString()).toContain(
      `\r\nProxy-Authorization: Basic ${Buffer.from("ann:p@ss:w").toString("base64")}\r\n\r\n`,
    );
  });

  test.each([
    ["HTTP/1.1 200 Connection established\r\n\r\n", "done "],
    ["HTTP/1.0 200 Connection established\r\nProxy-agent: tinyproxy/1.11.1\r\n\r\n", "done "],
    ["HTTP/1.1 204\r\n\r\n", "done "],
    ["HTTP/1.1 200 OK\r\nA: b\r\n\r\n\0\0\0\0", "done 00000000"],
    ["HTTP/1.1 200 OK\r\n", "more"],
    ["HTTP/1.1 403 Forbidden\r\n\r\n", 'it answered "HTTP/1.1 403 Forbidden"'],
    ["HTTP/1.1 502 Bad\u0007Gateway\r\n\r\n", 'it answered "HTTP/1.1 502 Bad?Gateway"'],
    [
      "HTTP/1.1 407 Auth\r\nProxy-Authenticate: Basic\r\n\r\n",
      "it wants a user and password (407)",
    ],
    ["SSH-2.0-x\r\n", "what answers is no HTTP proxy"],
    ["HTTP/2 200\r\n\r\n", "what answers is no HTTP proxy"],
    ["HTTP/1.1 abc\r\n\r\n", "the answer's first line is none of HTTP"],
    [`HTTP/1.1 200 OK\r\n${"a".repeat(17_000)}`, "the answer's head is longer than 16384 bytes"],
  ])("an answer %j, whole and byte by byte", (answer, outcome) => {
    expect(talk(http, name, [hex(answer)], 1e6).outcome).toBe(outcome);
    if (answer.length < 1000) expect(talk(http, name, [hex(answer)], 1).outcome).toBe(outcome);
  });

  test("says when the user and password were refused", () => {
    const { outcome } = talk({ ...http, credentials }, name, [hex("HTTP/1.1 407 X\r\n\r\n")]);
    expect(outcome).toBe("it refuses the user and password (407)");
  });
});

describe("SOCKS 5", () => {
  const ok = "05000001c000020104d2";
  const request = `050100 03 12 ${hex("tunnel.example.org")} 01bb`.replaceAll(" ", "");

  test.each([1, 2, 3, 1000])(
    "without authentication, a name for the proxy, pieces of %d",
    (size) => {
      expect(talk(socks, name, ["0500", `${ok}0a0b`], size)).toEqual({
        sent: ["050100", request],
        outcome: "done 0a0b",
      });
    },
  );

  test.each([1, 2, 1000])("with user and password, pieces of %d", (size) => {
    const how = { ...socks, credentials };
    const wanted = {
      sent: ["05020002", `0103${hex("ann")}06${hex("p@ss:w")}`, request],
      outcome: "done ",
    };
    expect(talk(how, name, ["0502", "0100", ok], size)).toEqual(wanted);
  });

  test("user and password are not sent to a proxy that wants none", () => {
    const { sent } = talk({ ...socks, credentials }, name, ["0500", ok]);
    expect(sent).toEqual(["05020002", request]);
  });

  test.each([
    ["192.0.2.1", "05010001c0000201"],
    ["2001:db8::1", "0501000420010db8000000000000000000000001"],
    ["::ffff:192.0.2.1", "0501000400000000000000000000ffffc0000201"],
    ["fe80::1%eth0", "05010004fe800000000000000000000000000001"],
  ])("an address %s goes as its bytes", (host, head) => {
    expect(talk(socks, { host, port: 80 }, ["0500"]).sent[1]).toBe(`${head}0050`);
  });

  test.each([
    ["IPv4", ok],
    ["IPv6", "050000042001000000000000000000000000000104d2"],
    ["a name", `0500000303${hex("abc")}04d2`],
    ["an empty name", "05000003000000"],
  ])("a reply with %s", (_, reply) => {
    for (const size of [1, 3, 1000]) {
      expect(talk(socks, name, ["0500", `${reply}ff`], size).outcome).toBe("done ff");
    }
  });

  test.each([
    [["48"], "what answers is no SOCKS 5 proxy"],
    [["05ff"], "it wants an authentication, and there is no user and password"],
    [["0502"], "it chose method 2, which was not offered"],
    [["0501"], "it chose method 1, which was not offered"],
    [["0500", "0505"], "the connection was refused"],
    [["0500", "0502000100000000"], "its rules forbid it"],
    [["0500", "05fe"], "it answered with reply 254"],
    [["0500", "0500000500"], "its reply has an address of type 5"],
    [["0500", "04"], "what answers is no SOCKS 5 proxy"],
    [["0500", "050000"], "more"],
  ])("answers %j", (answers, outcome) => {
    expect(talk(socks, name, answers).outcome).toBe(outcome);
  });

  test.each([
    [["05ff"], "it takes no user and password"],
    [["0502", "0101"], "it refuses the user and password"],
    [["0502", "0500"], "what answers is no SOCKS 5 proxy"],
  ])("with user and password, answers %j", (answers, outcome) => {
    expect(talk({ ...socks, credentials }, name, answers).outcome).toBe(outcome);
  });

  test("a name that doesn't fit is refused before anything is sent", () => {
    const { sent, outcome } = talk(socks, { host: "a".repeat(256), port: 1 }, []);
    expect({ sent, outcome }).toEqual({
      sent: [],
      outcome: "a host name of 256 bytes is longer than 255",
    });
  });
});

test("takes or refuses whatever comes, the same way however it is cut", () => {
  fc.assert(
    fc.property(fc.boolean(), fc.uint8Array({ minLength: 1, maxLength: 40 }), (isHttp, bytes) => {
      const how = isHttp ? http : socks;
      const all = Buffer.from(bytes).toString("hex");
      const whole = talk(how, name, isHttp ? [all] : ["0500", all]);
      expect(talk(how, name, isHttp ? [all] : ["0500", all], 1).outcome).toBe(whole.outcome);
    }),
    { numRuns: 1000 },
  );
});
