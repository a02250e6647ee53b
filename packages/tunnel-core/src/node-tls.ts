/** Node's module, loaded when it is used: 2.7 MB in each process with a tunnel without TLS (Node 26). */
export function tls(): typeof import("node:tls") {
  return process.getBuiltinModule("node:tls");
}
