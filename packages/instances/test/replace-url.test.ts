import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type EchoServer, startEcho } from "./support/echo-server.ts";
import { type RealMaster, realMaster, untilInstance } from "./support/real-master.ts";

/** A connection that stays open; `say` resolves with what comes back, or says that it was cut. */
class HeldConnection {
  readonly #socket: Socket;
  #cut: string | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", (error) => {
      this.#cut ??= error.message;
    });
    socket.on("close", () => {
      this.#cut ??= "closed";
    });
  }

  static async open(port: number): Promise<HeldConnection> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    const held = new HeldConnection(socket);
    await held.say("first");
    return held;
  }

  async say(text: string): Promise<string> {
    if (this.#cut !== undefined) return this.#cut;
    this.#socket.write(text);
    let back = "";
    while (back.length < text.length) {
      const chunk = await new Promise<unknown>((resolve) => {
        this.#socket.once("data", resolve);
        this.#socket.once("close", () => resolve(undefined));
      });
      if (chunk === undefined) return this.#cut ?? "closed";
      back += String(chunk);
    }
    return back;
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

describe.each([
  ["worker threads", 2],
  ["the main thread", 0],
])("another URL for a running instance in %s", (_name, workers) => {
  let echo: EchoServer;
  let master: RealMaster;
  const held: HeldConnection[] = [];

  const hold = async (port: number): Promise<HeldConnection> => {
    const connection = await HeldConnection.open(port);
    held.push(connection);
    return connection;
  };
  const entryOf = (id: string): number => master.manager.details(id)?.entryAddress?.port ?? 0;

  beforeEach(async () => {
    echo = await startEcho();
    master = await realMaster({ workers });
  });

  afterEach(async () => {
    for (const connection of held.splice(0)) connection.destroy();
    await master.close();
    await echo.close();
  });

  it("changes rate, slot and read while connections go on, and again after a restart", async () => {
    const { manager } = master;
    const url = `client://127.0.0.1:0/127.0.0.1:${echo.port}?mode=1&noudp=1`;
    const { id } = await manager.create({ url });
    const port = entryOf(id);
    const connection = await hold(port);
    const light = `${url}&rate=100&slot=1&read=30m`;
    const { changes, status } = await manager.replaceUrl(id, light);
    expect(changes).toEqual({ inPlace: ["rate", "read", "slot"], restarted: [] });
    expect(status).toBe("running");
    expect(await connection.say("still there")).toBe("still there");
    expect(entryOf(id)).toBe(port);
    expect(await manager.get(id)).toMatchObject({ url: light });
    // The new limit counts: the one slot is taken.
    const refused = connect(port, "127.0.0.1");
    refused.on("error", () => undefined);
    await new Promise((resolve) => refused.once("close", resolve));
    await untilInstance(master, id, ({ refusedSlot }) => refusedSlot === 1);
    expect(master.events.filter(({ type }) => type === "update")).not.toContainEqual(
      expect.objectContaining({ instance: expect.objectContaining({ status: "stopped" }) }),
    );
    connection.destroy();
    await manager.update(id, { action: "restart" });
    await hold(entryOf(id));
    await untilInstance(master, id, ({ tcps }) => tcps === 1);
  });

  it("changes both ends of a tunnel, targets at the exit, and says what needs more", async () => {
    const { manager } = master;
    const other = await startEcho();
    try {
      const server = await manager.create({
        url: "server://secret@127.0.0.1:0/127.0.0.1:0?mode=1&tls=1&noudp=1",
      });
      const tunnel = manager.details(server.id)?.tunnelAddress?.port ?? 0;
      const clientUrl = (target: number): string =>
        `client://secret@127.0.0.1:${tunnel}/127.0.0.1:${target}?mode=2&min=2`;
      const client = await manager.create({ url: clientUrl(echo.port) });
      await untilInstance(master, client.id, ({ pool }) => pool > 0);
      const connection = await hold(entryOf(server.id));
      const put = await manager.replaceUrl(client.id, clientUrl(other.port));
      expect(put.changes).toEqual({ inPlace: ["targets"], restarted: [] });
      const limited = `${server.url}&rate=200`;
      expect(await manager.replaceUrl(server.id, limited)).toMatchObject({
        changes: { inPlace: ["rate"], restarted: [] },
      });
      expect(await connection.say("through both")).toBe("through both");
      // New connections go to the new target: the old one is not needed any more.
      await hold(entryOf(server.id));
      connection.destroy();
      await echo.close();
      await hold(entryOf(server.id));
      const heavy = await manager.replaceUrl(server.id, limited.replace("tls=1", "tls=0"));
      expect(heavy.changes).toEqual({ inPlace: [], restarted: ["tls"] });
      expect(heavy.status).toBe("running");
      // Its port has not been closed, the client is soon there again, and what was open goes on.
      const through = await hold(entryOf(server.id));
      const again = await manager.replaceUrl(server.id, limited);
      expect(again.changes.restarted).toEqual(["tls"]);
      expect(await through.say("drains")).toBe("drains");
      await hold(entryOf(server.id));
      await untilInstance(master, server.id, ({ tcps }) => tcps === 4);
    } finally {
      for (const connection of held.splice(0)) connection.destroy();
      await other.close();
      echo = await startEcho();
    }
  });
});
