import { expect, it } from "vitest";
import { CliError } from "../exit-code.ts";
import { commandName } from "./command-name.ts";
import { errorLines } from "./error-lines.ts";

it("is nodepass unless the starter says otherwise", () => {
  expect(commandName({})).toBe("nodepass");
  expect(commandName({ NODEPASS_COMMAND: "" })).toBe("nodepass");
  expect(commandName({ NODEPASS_COMMAND: "npm start --" })).toBe("npm start --");
});

it("goes into the hints of errors", () => {
  const error = new CliError("down", { details: [(command) => `try ${command} ls`, "or wait"] });
  expect(errorLines(error)).toEqual(["down", "  try nodepass ls", "  or wait"]);
  expect(errorLines(error, "npm start --")[1]).toBe("  try npm start -- ls");
});
