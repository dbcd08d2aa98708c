/** The API, of which nothing is loaded before it is asked for the first time. */
import { ApiError, errorResponse } from "./answers/error.ts";
import type { Api, ApiSetup } from "./index.ts";
import { withBody } from "../util/whole-response.ts";

export class LazyApi {
  readonly #setup: ApiSetup;
  #loaded: Promise<Api> | undefined;
  #isClosed = false;

  constructor(setup: ApiSetup) {
    this.#setup = setup;
  }

  /** An answer as the Web standard has it. [API-18] @param address where the request comes from, as limits count addresses */
  async answer(request: Request, address: string): Promise<Response> {
    const response = await this.answerWhole(request, address);
    return request.method === "HEAD" ? response : withBody(response);
  }

  /** The same for a server of Node's: an answer that is one piece has no body, and `wholeOf` says what to write. */
  async answerWhole(request: Request, address: string): Promise<Response> {
    if (this.#isClosed) return stopping();
    this.#loaded ??= import("./index.ts").then(({ createApi }) => createApi(this.#setup));
    const api = await this.#loaded;
    // it was closed while it was loaded: what is begun now, nobody would end
    if (this.#isClosed) return stopping();
    return api.answer(request, { address });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    (await this.#loaded)?.close();
  }
}

function stopping(): Response {
  return errorResponse(new ApiError(503, "stopping", "the relay is stopping"));
}
