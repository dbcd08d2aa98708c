/** Random edits as applications make them: all types of Yjs, by several people who hear of each other now and then. */
import * as fc from "fast-check";
import * as Y from "yjs";

export const WRITERS = 3;

export interface Edit {
  readonly writer: number;
  readonly kind: number;
  readonly at: number;
  readonly length: number;
  readonly value: unknown;
}

const values = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(undefined, 2n ** 60n, -0.5, 2 ** 40, "\u{1f600}é\ufeff", ""),
  fc.uint8Array({ maxLength: 8 }),
);

export const edits = (max: number): fc.Arbitrary<Edit[]> =>
  fc.array(
    fc.record({
      writer: fc.nat({ max: WRITERS - 1 }),
      kind: fc.nat({ max: 19 }),
      at: fc.nat({ max: 30 }),
      length: fc.nat({ max: 6 }),
      value: values,
    }),
    { maxLength: max },
  );

const TEXTS = ["a", "hello", "\u{1f600}", "línea\n", "\u0416\uffff", "x".repeat(40)];

/** People with a document each, who make edits, and what each of their updates was, in order. */
export class Writers {
  readonly docs: readonly Y.Doc[];
  readonly undo: readonly Y.UndoManager[];
  /** All updates, as they were made. */
  readonly updates: Uint8Array[] = [];

  constructor(gc: boolean) {
    this.docs = Array.from({ length: WRITERS }, (_, i) => {
      const doc = new Y.Doc({ gc });
      doc.clientID = 10 + i * 7;
      doc.on("update", (update: Uint8Array, origin: unknown) => {
        if (origin !== "other") this.updates.push(update);
      });
      return doc;
    });
    this.undo = this.docs.map(
      (doc) => new Y.UndoManager([doc.getText("text"), doc.getArray("list")], { captureTimeout: 0 }),
    );
  }

  make({ writer, kind, at, length, value }: Edit): void {
    const doc = this.docs[writer];
    if (doc === undefined) return;
    const text = doc.getText("text");
    const list = doc.getArray<unknown>("list");
    const map = doc.getMap<unknown>("map");
    const xml = doc.getXmlFragment("xml");
    const word = TEXTS[length % TEXTS.length] ?? "";
    const position = at % (text.length + 1);
    const index = at % (list.length + 1);
    switch (kind) {
      case 0:
      case 1:
        return text.insert(position, word, length === 3 ? { bold: true } : undefined);
      case 2:
        return text.delete(position, Math.min(length, text.length - position));
      case 3:
        return text.format(position, Math.min(length, text.length - position), {
          bold: length % 2 === 0 ? true : null,
        });
      case 4:
        return text.insertEmbed(position, { image: word });
      case 5:
        return list.insert(index, [typeof value === "bigint" ? at : (value ?? null), at]);
      case 6:
        return list.delete(index, Math.min(length, list.length - index));
      case 7:
        return list.insert(index, [new Y.Map([[word, value]]), new Y.Text(word), new Y.Array<unknown>()]);
      case 8:
        return void map.set(`key${at % 5}`, value);
      case 9:
        return map.delete(`key${at % 5}`);
      case 10:
        return void map.set(`key${at % 5}`, length % 2 === 0 ? new Y.Map([["a", at]]) : new Y.Text(word));
      case 11: {
        const nested = map.get(`key${at % 5}`);
        if (nested instanceof Y.Map) nested.set(word, length > 3 ? new Y.Map() : value);
        else if (nested instanceof Y.Text) nested.insert(0, word, { em: true });
        return;
      }
      case 12:
        return xml.insert(at % (xml.length + 1), [length % 2 === 0 ? new Y.XmlElement("p") : new Y.XmlText(word)]);
      case 13: {
        const child = xml.length === 0 ? null : xml.get(at % xml.length);
        if (child instanceof Y.XmlElement) {
          child.setAttribute("id", word);
          child.insert(0, [new Y.XmlText(word), new Y.XmlElement("b")]);
        } else if (child instanceof Y.XmlText) child.format(0, Math.min(child.length, length), { strong: {} });
        return;
      }
      case 14:
        return xml.delete(at % (xml.length + 1), at % (xml.length + 1) < xml.length ? 1 : 0);
      case 15:
        return void map.set(`sub${at % 3}`, new Y.Doc({ autoLoad: length % 2 === 0, meta: word, gc: at % 2 === 0 }));
      case 16:
        return map.delete(`sub${at % 3}`);
      case 17:
        return void this.undo[writer]?.undo();
      case 18:
        return void this.undo[writer]?.redo();
      default: {
        const other = this.docs[at % WRITERS];
        if (other !== undefined) Y.applyUpdate(doc, Y.encodeStateAsUpdate(other, Y.encodeStateVector(doc)), "other");
      }
    }
  }

  /** Everybody hears of everything. */
  meet(): void {
    for (const doc of this.docs) {
      for (const other of this.docs)
        if (doc !== other) Y.applyUpdate(doc, Y.encodeStateAsUpdate(other, Y.encodeStateVector(doc)), "other");
    }
  }
}

/** What a document is, however it came about. */
export function contentOf(doc: Y.Doc): string {
  const parts = [
    doc.getText("text").toDelta(),
    doc.getArray("list").toJSON(),
    doc.getMap("map").toJSON(),
    doc.getXmlFragment("xml").toString(),
  ];
  return JSON.stringify(parts, (_key, value: unknown) => {
    if (typeof value === "bigint") return `${value}n`;
    if (value instanceof Y.Doc) return value.guid;
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    // two documents may have come to know the same keys in another order
    return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}
