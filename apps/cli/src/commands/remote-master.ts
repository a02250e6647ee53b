import { type Command, Option } from "commander";
import type { CliContext } from "../context.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/remote-options.ts";

interface RenewKeyOptions extends RemoteOptions {
  readonly local?: boolean | undefined;
}

/** Adds `info`, `tcping` and `key renew`: the master itself. */
export function addMasterCommands(program: Command, context: CliContext): void {
  addRemoteOptions(program.command("info").description("show the master and its machine")).action(
    async (options: RemoteOptions) => {
      const { showInfo } = await import("../remote/master-commands.ts");
      await showInfo(context, options);
    },
  );

  addRemoteOptions(
    program.command("tcping").description("let the master connect to an address, and time it"),
  )
    .argument("<host:port>", "where to")
    .action(async (target: string, options: RemoteOptions) => {
      const { tcping } = await import("../remote/master-commands.ts");
      await tcping(context, target, options);
    });

  const key = program.command("key").description("the master's API key");
  addRemoteOptions(
    key.command("renew").description("make a new API key, print it, and save it in the profile"),
  )
    .addOption(
      new Option("--local", "for a lost key: of the stopped master of this user, see NP_STATE_DIR")
        // All of these are about a master that is asked.
        .conflicts(["master", "key", "profile", "insecure", "pin"]),
    )
    .action(async ({ local, ...options }: RenewKeyOptions) => {
      if (local === true) {
        const { renewLocalKey } = await import("../master/renew-local-key.ts");
        await renewLocalKey(context, options);
      } else {
        const { renewKey } = await import("../remote/master-commands.ts");
        await renewKey(context, options);
      }
    });
}
