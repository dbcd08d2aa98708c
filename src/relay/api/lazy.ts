/** The API, of which nothing is loaded before it is asked for the first time. */
import { ApiError, errorResponse } from "./answers/error.ts";
import type { Api, ApiSetup } from "./index.ts";

export class LazyApi {
  readonly #setup: ApiSetup;
  #loaded: Promise<Api> | undefined;
  #isClosed = false;

  constructor(setup: ApiSetup) {
    this.#setup = setup;
  }

  /** Of answers that are one piece `withBody` puts in the body. @param address where the request comes from, as limits count addresses */
  async answer(request: Request, address: string): Promise<Response> {
    if (this.#isClosed) return errorResponse(new ApiError(503, "stopping", "the relay is stopping"));
    this.#loaded ??= import("./index.ts").then(({ createApi }) => createApi(this.#setup));
    const api = await this.#loaded;
    // it was closed while it was loaded
    if (this.#isClosed) api.close();
    return api.answer(request, { address });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    (await this.#loaded)?.close();
  }
}
