/** What the command makes of flags and variables. That it says so, and ends with exit code 2: cli.test.ts. */
import { describe, expect, it } from "vitest";
import { readFlags } from "../../../src/command/settings/flags.ts";
import { type Settings, readSettings } from "../../../src/command/settings/settings.ts";
import { UsageError } from "../../../src/command/usage.ts";
import { resolveConfig } from "../../../src/relay/config.ts";

type Env = Readonly<Record<string, string>>;

const settingsOf = (args: readonly string[], env: Env = {}): Settings => readSettings(readFlags(args), env);

describe("what is given", () => {
  it.each<[string, string[], Env, number]>([
    ["the default", [], {}, 3_000],
    ["a variable", [], { COPRESENCE_LEAVE_GRACE: "111" }, 111],
    ["an empty variable is none", [], { COPRESENCE_LEAVE_GRACE: "" }, 3_000],
    ["a flag", ["--leave-grace", "222"], {}, 222],
    ["a flag wins", ["--leave-grace=0"], { COPRESENCE_LEAVE_GRACE: "111" }, 0],
    // what nobody looks at cannot be wrong
    ["a flag hides what is wrong with a variable", ["--leave-grace", "222"], { COPRESENCE_LEAVE_GRACE: "soon" }, 222],
  ])("[RUN-2] %s", (_, args, env, grace) => {
    expect(resolveConfig(settingsOf(args, env).relay).settings.leaveGrace).toBe(grace);
  });
});

describe("what is wrong", () => {
  it.each<[string[], Env, RegExp]>([
    [["--verbose"], {}, /'--verbose'/],
    [["--pingInterval", "5"], {}, /'--pingInterval': did you mean --ping-interval\?/],
    [["--prot", "80"], {}, /'--prot': did you mean --port\?/],
    [["-x"], {}, /'-x'/],
    [["doc"], {}, /'doc' is no flag and no subcommand: there are drain, store and verify/],
    [["--tick"], {}, /'--tick <value>'/],
    [["--help=yes"], {}, /'-h, --help'/],
    [["--port", "65536"], {}, /--port must be a port number from 0 to 65535/],
    [["--port", "http"], {}, /--port must be a port number, not "http"/],
    [["--port="], {}, /--port must be a port number, not ""/],
    [["--max-message", "1MB"], {}, /--max-message must be a whole number of bytes, not "1MB"/],
    [["--recent-max", "all"], {}, /--recent-max must be a whole number, not "all"/],
    [["--host="], {}, /--host must not be empty/],
    [["--ping-interval", "0"], {}, /--ping-interval must be a whole number of milliseconds from 1 to 2147483647/],
    [["--ping-timeout", "1e3"], {}, /--ping-timeout must be a whole number of milliseconds, not "1e3"/],
    [["--leave-grace=-1"], {}, /--leave-grace must be a whole number of milliseconds, not "-1"/],
    [["--lobby-tick", "1.5"], {}, /--lobby-tick must be a whole number of milliseconds, not "1.5"/],
    [["--tick", "3000000000"], {}, /--tick must be a whole number of milliseconds from 0/],
    [[], { COPRESENCE_TICK: "fast" }, /COPRESENCE_TICK must be a whole number of milliseconds, not "fast"/],
    [["--open=maybe"], {}, /--open must be true or false/],
    [["--jwt-secret="], {}, /--jwt-secret must not be empty/],
    [["--jwt-secret", "short"], {}, /--jwt-secret must be at least 32 bytes long/],
    [[], { COPRESENCE_JWT_SECRET: "short" }, /COPRESENCE_JWT_SECRET must be at least 32 bytes long/],
    [["--jwt-secret", `${"x".repeat(32)},short`], {}, /--jwt-secret must be at least 32 bytes long, each/],
    [
      ["--jwt-secret", "x".repeat(32), "--jwt-secret", "short"],
      {},
      /--jwt-secret must be at least 32 bytes long, each/,
    ],
    [["--origins", "https://a.example/app"], {}, /--origins: "https:\/\/a\.example\/app" is no origin: browsers send/],
    [[], { COPRESENCE_ORIGINS: "*" }, /without COPRESENCE_ORIGINS, pages of all origins may connect/],
    [["--jwt-public-key", "nowhere.pem"], {}, /--jwt-public-key is neither a key nor a file/],
    [["--jwt-issuer", "me"], {}, /--jwt-issuer needs one of --jwt-secret/],
    [[], { COPRESENCE_PING_INTERVAL: "0" }, /COPRESENCE_PING_INTERVAL must be a whole number of milliseconds from 1/],
    [[], { PORT: "99999" }, /PORT must be a port number from 0 to 65535/],
  ])("[RUN-2] %j %j is refused with a message that names it", (args, env, message) => {
    const read = (): Settings => settingsOf(args, env);
    expect(read).toThrow(UsageError);
    expect(read).toThrow(message);
  });
});
