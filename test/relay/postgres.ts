/** A PostgreSQL server of the test's own: a cluster in a temporary folder, on a free port of loopback. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { findPostgres } from "../../scripts/ensure.js";
import { until } from "../support.ts";

export interface PostgresServer {
  /** The address of empty tables of the test's own; those of another encoding are in a database of their own. */
  readonly database: (encoding?: string) => Promise<string>;
  /** Ends the server as a crash does (SIGKILL). */
  readonly kill: () => Promise<void>;
  /** Starts a server that was killed. It recovers from its log. */
  readonly start: () => Promise<void>;
  /** Ends the server, and deletes the folder. */
  readonly stop: () => Promise<void>;
}

/** PostgreSQL refuses to run as root: then it runs as somebody who may do nothing. */
interface Account {
  readonly uid: number;
  readonly gid: number;
}

function unprivileged(): Account | null {
  if (process.getuid?.() !== 0) return null;
  const idOf = (flag: string): number => Number(execFileSync("id", [flag, "nobody"], { encoding: "utf8" }));
  return { uid: idOf("-u"), gid: idOf("-g") };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** Has a database execute a statement, and gives the rows of its answer. */
export async function query(url: string, statement: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  // the server may be killed
  client.on("error", () => {});
  try {
    await client.connect();
    const { rows } = await client.query<Record<string, unknown>>(statement);
    return rows;
  } finally {
    await client.end().catch(() => {});
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Starts a server. The caller stops it. */
export async function startPostgres(): Promise<PostgresServer> {
  const programs = findPostgres();
  if (programs === null) throw new Error("there is no PostgreSQL server: node scripts/ensure.js postgres");
  const folder = mkdtempSync(join(tmpdir(), "copresence-postgres-"));
  const account = unprivileged();
  if (account !== null) chownSync(folder, account.uid, account.gid);
  const as = { ...account, cwd: folder };
  const data = join(folder, "data");
  execFileSync(
    join(programs, "initdb"),
    ["-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
    { ...as, stdio: "ignore" },
  );
  const port = await freePort();
  let server: ChildProcess | null = null;
  let databases = 0;
  const urlOf = (database: string): string => `postgres://tester:secret@127.0.0.1:${port}/${database}`;
  const isUp = async (): Promise<boolean> => {
    try {
      await query(urlOf("postgres"), "SELECT 1");
      return true;
    } catch {
      return false;
    }
  };
  const start = async (): Promise<void> => {
    await until(
      "the database answers",
      () => {
        // the last processes of a server that was killed may hold its memory for a moment: then the new one ends at once
        if (server === null || hasEnded(server)) {
          server = spawn(
            join(programs, "postgres"),
            // without fsync: the machine goes on when the server is killed
            ["-D", data, "-p", `${port}`, "-h", "127.0.0.1", "-k", "", "-c", "fsync=off", "-c", "max_connections=60"],
            { ...as, stdio: "ignore" },
          );
        }
        return isUp();
      },
      30_000,
    );
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const running = server;
    server = null;
    if (running === null || hasEnded(running)) return;
    running.kill(signal);
    await once(running, "exit");
  };
  await start();
  return {
    database: async (encoding) => {
      const name = `test_${++databases}`;
      if (encoding !== undefined) {
        await query(urlOf("postgres"), `CREATE DATABASE ${name} ENCODING '${encoding}' LOCALE 'C' TEMPLATE template0`);
        return urlOf(name);
      }
      // a schema takes far less time than a database
      await query(urlOf("postgres"), `CREATE SCHEMA ${name}`);
      return `${urlOf("postgres")}?options=-c%20search_path%3D${name}`;
    },
    kill: () => end("SIGKILL"),
    start,
    stop: async () => {
      // at once, also while clients are connected
      await end("SIGINT");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
