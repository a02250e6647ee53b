/** Node's module, loaded when it is used: most tunnels don't. */
export function http2(): typeof import("node:http2") {
  return process.getBuiltinModule("node:http2");
}
