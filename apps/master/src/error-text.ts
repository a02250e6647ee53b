/** What is said about a failure: one line, without keys of URLs that it quotes. */
export function errorText(error: unknown): string {
  const message = error instanceof Error ? error.message || error.name : String(error);
  return message.replace(/\s*\n\s*/g, " ").replace(/\/\/[^@\s]*@/g, "//***@");
}
