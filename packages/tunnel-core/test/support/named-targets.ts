import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Target } from "../peer-114/index.ts";
import { dial, readExactly } from "./users.ts";

/** A target that says its name, of one letter, first, and then echoes: users know who carries them. */
export interface NamedTarget {
  readonly name: string;
  /** `host:port`. */
  readonly at: string;
  close(): void;
}

export async function startNamedTarget(name: string, host: string): Promise<NamedTarget> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).once("close", () => sockets.delete(socket));
    socket.write(name);
    socket.pipe(socket);
  });
  server.listen(0, host);
  await once(server, "listening");
  const at = `${host}:${(server.address() as AddressInfo).port}`;
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { name, at, close };
}

/** A user who stays, and who carries him. */
export interface NamedUser {
  readonly by: string;
  readonly socket: Socket;
}

export async function namedUser(entry: Target): Promise<NamedUser> {
  const socket = await dial(entry);
  return { by: (await readExactly(socket, 1)).toString(), socket };
}

/** So many users who stay, one after the other; who carries each. */
export async function namedUsers(entry: Target, count: number): Promise<NamedUser[]> {
  const users: NamedUser[] = [];
  while (users.length < count) users.push(await namedUser(entry));
  return users;
}

/** Whether the user's connection still echoes. */
export async function stillEchoes({ socket }: NamedUser): Promise<boolean> {
  if (socket.destroyed) return false;
  socket.write("?");
  return (await readExactly(socket, 1)).toString() === "?";
}
