/** The browsers that the files of the e2e project share: one for each worker, started when it is first asked for. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";
import { type Process, startChromium } from "./process.ts";

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const browsers = new Map<string, Promise<Process>>();
  const browserOf = async (worker: string): Promise<Process> => {
    const known = await browsers.get(worker);
    if (known?.isRunning() === true) return known;
    const started = startChromium();
    browsers.set(worker, started);
    await known?.kill();
    return started;
  };
  const server = createServer((request, response) => {
    browserOf(request.url ?? "/").then(
      ({ endpoint }) => response.end(endpoint),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  project.provide("browsers", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => {
    server.close();
    const started = await Promise.allSettled(browsers.values());
    await Promise.all(started.flatMap((result) => (result.status === "fulfilled" ? [result.value.kill()] : [])));
  };
}
