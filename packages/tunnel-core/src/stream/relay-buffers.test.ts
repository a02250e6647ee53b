import { describe, expect, test } from "vitest";
import { type BulkBuffer, RelayBuffers } from "./relay-buffers.ts";

describe("RelayBuffers", () => {
  test("all quiet connections read into one buffer", () => {
    const buffers = new RelayBuffers();
    expect(buffers.nextBuffer()).toBe(buffers.shared);
    expect(buffers.nextBuffer()).toBe(buffers.shared);
  });

  test("a choice counts for one read", () => {
    const buffers = new RelayBuffers(64 * 1024);
    const bulk = buffers.borrow();
    if (bulk === undefined) throw new Error("none lent");
    buffers.next = bulk.read;
    expect(buffers.nextBuffer()).toBe(bulk.read);
    expect(buffers.nextBuffer()).toBe(buffers.shared);
  });

  test("prefixes are the front of the shared buffer, each made once", () => {
    const buffers = new RelayBuffers();
    const prefix = buffers.sharedPrefix(4096);
    expect(prefix.length).toBe(4096);
    expect(prefix.buffer).toBe(buffers.shared.buffer);
    expect(buffers.sharedPrefix(4096)).toBe(prefix);
    expect(buffers.sharedPrefix(1_000_000)).toBe(buffers.shared);
  });

  test("one read with all its headers is gathered whole at the other end", () => {
    const record = 16 * 1024;
    for (const bulkBytes of [undefined, 64 * 1024, 256 * 1024]) {
      const bulk = new RelayBuffers(bulkBytes).borrow();
      if (bulk === undefined) throw new Error("none lent");
      const { body, read } = bulk;
      expect(read.buffer).toBe(body.buffer);
      expect(read.byteOffset).toBe(body.byteOffset);
      expect(read.byteOffset).toBeGreaterThanOrEqual(32);
      // A frame's header and a WebSocket's.
      const sent = read.length + 4 + 14;
      expect(body.length % record).toBe(0);
      expect(sent).toBeLessThanOrEqual(body.length);
      // The records before the last leave room for one more.
      const before = (Math.ceil(sent / record) - 1) * record;
      expect(body.length - before).toBeGreaterThanOrEqual(record);
    }
  });

  test("lends at most 64, uses them again and keeps count", () => {
    const buffers = new RelayBuffers(64 * 1024);
    const lent: BulkBuffer[] = [];
    for (let one = buffers.borrow(); one !== undefined; one = buffers.borrow()) lent.push(one);
    expect(lent.length).toBe(64);
    expect(new Set(lent).size).toBe(64);
    const last = lent.at(-1);
    for (const one of lent) buffers.giveBack(one);
    expect(buffers.lent).toBe(0);
    const again = buffers.borrow();
    expect(lent).toContain(again);
    // A TLS record must fit, however small the size asked for.
    expect(last?.body.length).toBe(65_536);
  });
});
