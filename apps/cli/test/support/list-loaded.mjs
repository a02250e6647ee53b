// For --import: writes what the process has loaded, as JSON, to the file that LOADED_LIST names when
// it ends: files, as URLs, and built-in modules, Node's internal ones included.
import { writeFileSync } from "node:fs";
import { registerHooks } from "node:module";

const files = [];
registerHooks({
  load(url, context, nextLoad) {
    if (url.startsWith("file:")) files.push(url);
    return nextLoad(url, context);
  },
});
process.on("exit", () => {
  const builtins = process.moduleLoadList
    .filter((line) => line.startsWith("NativeModule "))
    .map((line) => line.slice("NativeModule ".length));
  writeFileSync(process.env.LOADED_LIST, JSON.stringify({ files, builtins }));
});
