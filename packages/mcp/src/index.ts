export { createMcpServer, type McpServerOptions } from "./create-mcp-server.ts";
export { createExportFile, type ExportFile } from "./exports/export-file.ts";
export {
  createMcpEndpoint,
  type McpEndpoint,
  type McpEndpointOptions,
  type McpHttpRequest,
} from "./http/mcp-endpoint.ts";
export { McpError, type McpErrorCode } from "./mcp-error.ts";
export { type ServedMcp, type ServeMcpOptions, serveMcp } from "./stdio/serve-mcp.ts";
