import type { WebSocketLike } from "../../src/client/link/socket.ts";

/** A WebSocket without a network: what it tells is told by hand. */
export class ScriptedSocket implements WebSocketLike {
  static made: ScriptedSocket[] = [];
  binaryType = "";
  bufferedAmount = 0;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  readonly sent: Uint8Array[] = [];
  readonly closed: (number | undefined)[] = [];
  constructor() {
    ScriptedSocket.made.push(this);
  }
  send(data: Uint8Array): void {
    this.sent.push(data);
  }
  close(code?: number): void {
    this.closed.push(code);
  }
  opens(): void {
    this.onopen?.({} as never);
  }
  says(message: Uint8Array = new Uint8Array(1)): void {
    this.onmessage?.({ data: Uint8Array.from(message).buffer } as never);
  }
  closes(code: number): void {
    this.onclose?.({ code, reason: "" } as never);
  }
}
