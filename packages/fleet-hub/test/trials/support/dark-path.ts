import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A road to the engine that can go dark: nothing comes through, and nobody is told. */
export class DarkPath {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isDark = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(to: number): Promise<DarkPath> {
    const server = createServer();
    const path = new DarkPath(server);
    server.on("connection", (near) => {
      const far = connect(to, "127.0.0.1");
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        path.#sockets.add(one);
        one.on("error", () => one.destroy());
        one.on("close", () => {
          path.#sockets.delete(one);
          other.destroy();
        });
        one.on("data", (bytes) => {
          if (!other.write(bytes)) one.pause();
        });
        other.on("drain", () => {
          if (!path.#isDark) one.resume();
        });
        if (path.#isDark) one.pause();
      }
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return path;
  }

  get port(): number {
    const at = this.#server.address();
    return typeof at === "object" && at !== null ? at.port : 0;
  }

  dark(isDark: boolean): void {
    this.#isDark = isDark;
    for (const socket of this.#sockets) {
      if (isDark) socket.pause();
      else socket.resume();
    }
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
