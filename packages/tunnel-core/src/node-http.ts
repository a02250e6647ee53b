/**
 * What this package uses of `node:http`. An `import` of a built-in evaluates all its exports, and
 * one of them, `WebSocket`, loads Node's whole fetch client: 15 MB of memory and 25 ms in every
 * process with a tunnel (Node 26, measured). Asking for the module leaves it where it is.
 */
export const { Agent, METHODS, createServer, request } = process.getBuiltinModule("node:http");
