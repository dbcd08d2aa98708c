import { MemoryOutbox } from "../../../../src/relay/webhooks/outbox/memory.ts";
import { outboxContract } from "./contract.ts";

outboxContract(() => Promise.resolve(new MemoryOutbox()));
