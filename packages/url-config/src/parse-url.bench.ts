import { test } from "vitest";
import { format } from "./format-url.ts";
import { parseTunnelUrl } from "./parse-url.ts";
import { redact } from "./redact.ts";

const SHORT = "client://a-long-enough-key@127.0.0.1:10101/127.0.0.1:8080";
const LONG =
  "server://a-long-enough-key@[::1]:10101/198.51.100.7:8080,[2001:db8::1]:8080" +
  "?mode=2&tls=1&max=2048&read=1h30m&rate=100&slot=1000&dns=1m&block=13&proxy=1&log=warn";

test("tunnel URLs", async ({ bench }) => {
  const settings = parseTunnelUrl(LONG);
  await bench("parse a URL without parameters", () => {
    parseTunnelUrl(SHORT);
  }).run();
  await bench("parse a URL with ten parameters", () => {
    parseTunnelUrl(LONG);
  }).run();
  await bench("write the URL of settings in full", () => {
    format(settings);
  }).run();
  await bench("hide the key of a URL", () => {
    redact(LONG);
  }).run();
});
