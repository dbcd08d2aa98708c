// Packages that only bench/node_modules has: the root's type check runs without it.
declare module "@hocuspocus/server" {
  export class Server {
    constructor(options: { address: string; port: number; quiet: boolean });
    listen(): Promise<unknown>;
  }
}
