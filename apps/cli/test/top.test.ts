import { stripVTControlCharacters } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { fakeInstance, fakeKey, startFakeMaster } from "./support/fake-master.ts";
import { temporaryFolder } from "./support/folder.ts";
import { hasTerminals, startAtTerminal } from "./support/terminal.ts";

const variables = (master: string) => ({
  NP_MASTER_URL: master,
  NP_API_KEY: fakeKey,
  XDG_CONFIG_HOME: temporaryFolder(),
});
const entered = "\x1b[?1049h";
const left = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/** The last screen: what the cursor movements made of it, one string a row. */
function screenOf(output: string): string[] {
  const rows: string[] = [];
  const page = output.slice(output.lastIndexOf("\x1b[2J"));
  for (const part of page.split("\x1b[K")) {
    const [, row, text = ""] = /\[(\d+);1H([\s\S]*)$/.exec(part) ?? [];
    if (row !== undefined) rows[Number(row) - 1] = stripVTControlCharacters(text);
  }
  return rows;
}

// Without util-linux's `script` there is no way to a pseudo terminal from here.
describe.runIf(hasTerminals)("nodepass top at a terminal", () => {
  async function startTop(options: Parameters<typeof startFakeMaster>[0] = {}, count = 1) {
    const master = await startFakeMaster(options);
    for (let index = 0; index < count; index += 1) {
      const id = `${index}`.padStart(8, "a");
      master.instances.set(id, fakeInstance({ id, alias: `web${index}` }));
    }
    const argv = ["top", "--interval", "0.2"];
    const top = startAtTerminal(argv, variables(master.url));
    return { master, top };
  }

  it.each([
    ["q", (top: { type(keys: string): void }) => top.type("q")],
    ["Ctrl-C", (top: { type(keys: string): void }) => top.type("\x03")],
    ["SIGTERM", (top: { signal(name: NodeJS.Signals): void }) => top.signal("SIGTERM")],
    ["SIGHUP", (top: { signal(name: NodeJS.Signals): void }) => top.signal("SIGHUP")],
  ])("shows instances and ends with 0 at %s, the terminal as it was", async (_name, quit) => {
    const { top } = await startTop();
    await top.waitFor(/ live/);
    expect(screenOf(top.output())).toEqual([
      expect.stringMatching(/^nodepass top {2}http:\/\/127.* live$/),
      expect.stringMatching(/^1 instance: 1 running, 0 error, 0 stopped {3}in .* 3 TCP {2}1 UDP$/),
      "",
      expect.stringMatching(/^INSTANCE +TYPE +STATUS +IN +OUT +TCP +UDP +POOL +PING +RX +TX +URL$/),
      expect.stringMatching(/^web0 +server +running .* 7 ms +1\.50 MB +2\.00 kB +server:.*…$/),
      ...Array.from({ length: 6 }, () => ""),
      "q quit  s sorted by rate  up/down scroll",
    ]);
    quit(top);
    expect(await top.ended()).toEqual({ code: 0, isRestored: true });
    expect(top.output()).toContain(entered);
    expect(top.output()).toContain(left);
    expect(top.output().indexOf(left)).toBe(top.output().lastIndexOf(left));
  });

  it("shows rates from events, and what was removed no more", async () => {
    const { master, top } = await startTop({}, 2);
    await top.waitFor(/ live/);
    let tcprx = 1_500_000;
    const [id = ""] = master.instances.keys();
    const flow = setInterval(() => {
      tcprx += 100_000;
      const instance = fakeInstance({ id, alias: "web0", tcprx });
      master.instances.set(id, instance);
      master.emit({ type: "update", instance });
    }, 100);
    try {
      await top.waitFor(/web0 .*\d (?:kB|MB)\/s/);
      master.emit({ type: "delete", instance: fakeInstance({ id, alias: "web0" }) });
      clearInterval(flow);
      await vi.waitFor(() => expect(screenOf(top.output())[4]).toMatch(/^web1 /), {
        timeout: 20_000,
      });
      expect(screenOf(top.output())[1]).toMatch(/^1 instance:/);
    } finally {
      clearInterval(flow);
    }
  });

  it("fits another size, sorts and scrolls", async () => {
    const { top } = await startTop({}, 20);
    await top.waitFor(/ live/);
    expect(screenOf(top.output()).at(-1)).toMatch(/1-7 of 20$/);
    top.type("sss\x1b[B");
    await top.waitFor(/sorted by name .* 2-8 of 20/);
    top.resize(60, 8);
    await top.waitFor(/2-4 of 20/);
    const screen = screenOf(top.output());
    expect(screen).toHaveLength(8);
    expect(screen.at(-1)).toBe("q quit  s sorted by name  up/down scroll  2-4 of 20");
    top.type("G");
    await top.waitFor(/18-20 of 20/);
    top.type("q");
    expect(await top.ended()).toMatchObject({ code: 0, isRestored: true });
  });

  it("asks where there are no events", async () => {
    const { master, top } = await startTop({ withoutEvents: true });
    await top.waitFor(/asking now and then/);
    master.instances.clear();
    await top.waitFor(/0 instances/);
    top.type("q");
    expect(await top.ended()).toMatchObject({ code: 0, isRestored: true });
  });

  it("says when nobody answers, and goes on when somebody does again", async () => {
    const { master, top } = await startTop();
    await top.waitFor(/ live/);
    master.setAway(true);
    master.endStreams();
    await top.waitFor(/no answer, trying again/);
    master.setAway(false);
    await vi.waitFor(() => expect(screenOf(top.output())[0]).toMatch(/ live$/), {
      timeout: 30_000,
    });
    top.type("q");
    expect(await top.ended()).toMatchObject({ code: 0, isRestored: true });
  });

  it("gives the terminal back before it says that the key is refused", async () => {
    const { master, top } = await startTop();
    await top.waitFor(/ live/);
    master.endStreams("another-key");
    expect(await top.ended()).toEqual({ code: 4, isRestored: true });
    const [, after = ""] = top.output().split(left);
    expect(after).toMatch(/nodepass:.*Invalid API key \(401\)/);
  });
});
