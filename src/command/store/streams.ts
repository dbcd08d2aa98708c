/** Where `copresence store` reads updates from and writes them to: a file, or else standard input and output. */
import { once } from "node:events";
import { readFile, rename, writeFile } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { UsageError } from "../usage.ts";
import { reasonOf } from "../../relay/util/reason.ts";

/** The standard streams of the process, or what a test has in their place. */
export interface Streams {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable;
}

/** @param file default: standard input */
export async function readBytes(file: string | undefined, { stdin }: Streams): Promise<Uint8Array> {
  if (file !== undefined && file !== "-") {
    return await readFile(file).catch((error: unknown) => {
      throw new Error(`the file ${file} cannot be read: ${reasonOf(error)}`, { cause: error });
    });
  }
  if (stdin.isTTY === true) throw new UsageError("an update is read from a file or from standard input: name a file");
  return await buffer(stdin);
}

/** @param file default: standard output. A file that there is gives way to the new one when that is whole. */
export async function writeBytes(file: string | undefined, bytes: Uint8Array, { stdout }: Streams): Promise<void> {
  if (file !== undefined && file !== "-") {
    const unfinished = `${file}.${process.pid}.unfinished`;
    await writeFile(unfinished, bytes);
    return await rename(unfinished, file);
  }
  if (stdout.isTTY === true) throw new UsageError("an update is no text for a terminal: name a file, or redirect");
  if (!stdout.write(bytes)) await once(stdout, "drain");
}
