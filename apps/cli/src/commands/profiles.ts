import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import type { LoginOptions } from "../profiles/profile-commands.ts";
import { parsePin, timeoutOption } from "../remote/remote-options.ts";

/** Adds `login` and `profile`: masters that need not be named again. */
export function addProfileCommands(program: Command, context: CliContext): void {
  program
    .command("login")
    .description(
      "save a master, or a fleet's hub, and its key as a profile, and use it from now on",
    )
    .argument("[name]", "name of the profile", "default")
    .requiredOption("--master <url>", "http(s)://host:port[/prefix] or its master:// URL")
    .option("--key <key>", "its API key; else NP_API_KEY, else asked for on standard input")
    .option("--insecure", "trust any certificate of the master")
    .option("--pin <sha256>", "trust the certificate with this fingerprint only", parsePin)
    .addOption(timeoutOption())
    .option("--no-check", "save without asking the master")
    .action(async (name: string, options: LoginOptions) => {
      const { login } = await import("../profiles/profile-commands.ts");
      await login(context, name, options);
    });

  const profile = program.command("profile").description("the saved masters");
  profile
    .command("ls")
    .description("list the profiles")
    .option("--json", "print JSON")
    .action(async (options: { readonly json?: boolean }) => {
      const { listProfiles } = await import("../profiles/profile-commands.ts");
      await listProfiles(context, options);
    });
  profile
    .command("use")
    .description("use a profile from now on")
    .argument("<profile>", "name of the profile")
    .action(async (name: string) => {
      const { useProfile } = await import("../profiles/profile-commands.ts");
      await useProfile(context, name);
    });
  profile
    .command("rm")
    .description("forget a profile and its key")
    .argument("<profile>", "name of the profile")
    .action(async (name: string) => {
      const { removeProfile } = await import("../profiles/profile-commands.ts");
      await removeProfile(context, name);
    });
}
