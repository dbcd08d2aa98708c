// Packages that only bench/node_modules has: the root's type check runs without it.
declare module "vega-lite" {
  export function compile(spec: object): { spec: object };
}

declare module "vega" {
  export function parse(spec: object): object;
  export class View {
    constructor(runtime: object, options: { renderer: "none" });
    toSVG(): Promise<string>;
  }
}

declare module "@hocuspocus/extension-redis" {
  import type { Extension } from "@hocuspocus/server";
  export const Redis: new (configuration: { host: string; port: number }) => Extension;
}
