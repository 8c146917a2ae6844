/** Finds the rows of a JSON file by its brackets and quotes alone: nothing is parsed, nothing is kept per row. */
import { DataError } from "../errors";
import { noContext, type RowScanner, type RowSink } from "../formats/types";
import { deepest } from "./json-fault";

const [lineFeed, quote, backslash] = [0x0a, 0x22, 0x5c];
const [comma, colon, openBrace, closeBrace, openBracket, closeBracket] = [0x2c, 0x3a, 0x7b, 0x7d, 0x5b, 0x5d];

/** An object with such a key is a row itself: its lists of objects are no lists of rows. */
const rowKeys = new Set(
  (
    "messages conversations conversation dialog dialogue turns history tools functions segments chosen rejected choices " +
    "prompt completion instruction text input output question answer response input_ids labels"
  ).split(" "),
);
/** A list of objects under such a key is the rows even beside a row's key, where that holds a text: what the file is about. */
const wrapperKeys = new Set(["data", "rows", "examples", "train"]);
/** Elements of a list inside the file's first object that are held back until it is clear that they are the rows. */
const heldBack = 1_000;

/**
 * What the file turned out to be: lists of rows; one object after another, each a row; an object around the list of
 * rows; or a lone value. "object" and "judged" are the first object while it may still be a row or hold the rows.
 */
type Layout = "unknown" | "lists" | "object" | "judged" | "documents" | "wrapper" | "value";

export class JsonScanner implements RowScanner {
  readonly context = noContext;
  readonly #file: string;
  #layout: Layout = "unknown";
  /** Bytes before the chunk. */
  #base = 0;
  #line = 1;
  #lineStart = 0;
  /** UTF-8 continuation bytes between `lineStart` and `base`: they are no columns. */
  #continued = 0;
  readonly #open = new Uint8Array(deepest);
  #depth = 0;
  /** Depth at which a value is a row; −1: none is. */
  #level = -1;
  #rowStart = -1;
  #rowLine = 1;
  /** End of the last byte that is no white space. */
  #ink = 0;
  #inString = false;
  #escaped = false;
  /** The first object: its place, its current key, and the rows that its list may hold. */
  #object = { start: 0, end: 0, line: 1 };
  #key = "";
  #inKey = false;
  #keyNext = false;
  #listOpened = false;
  #lists: string[] = [];
  #held: number[] = [];
  #isRow = false;
  /** Keys of a row with a text in them: the object is a row unless it has a list under one of `wrapperKeys`. */
  #hasRowText = false;
  #rowKeyNext = false;
  #commaAllowed = false;

  constructor(file: string) {
    this.#file = file;
  }

  feed(chunk: Uint8Array, sink: RowSink): void {
    const base = this.#base;
    let at = 0;
    while (at < chunk.length) {
      if (this.#layout === "value") {
        for (at = chunk.length; at > 0 && isSpace(chunk[at - 1]); at--);
        if (at > 0) this.#ink = base + at;
        break;
      }
      if (this.#inString) {
        at = this.#string(chunk, at);
        continue;
      }
      const byte = chunk[at] ?? 0;
      if (byte === lineFeed) {
        this.#line++;
        this.#lineStart = base + at + 1;
      } else if (!isSpace(byte)) {
        const inRow = this.#level >= 0 && this.#depth > this.#level;
        // Inside a row only quotes and brackets matter.
        if (!inRow || byte === quote || isBracket(byte)) this.#token(byte, chunk, at, sink);
      }
      at++;
    }
    const from = Math.max(this.#lineStart - base, 0);
    this.#continued = (this.#lineStart > base ? 0 : this.#continued) + continuations(chunk, from, chunk.length);
    this.#base = base + chunk.length;
  }

  finish(sink: RowSink): void {
    if (this.#layout === "value") {
      sink(this.#rowStart, this.#ink, this.#rowLine);
    } else if (this.#depth > 0) {
      const open = this.#depth === 1 ? "a bracket is" : `${this.#depth} brackets are`;
      const problem = `the file ends before its JSON does (${this.#inString ? "a string and " : ""}${open} still open)`;
      throw this.#fault(problem, new Uint8Array(), 0);
    } else if (this.#layout === "judged") {
      this.#release(sink);
    }
  }

  /** Goes on in a string up to its closing quote or the chunk's end; returns where it stopped. */
  #string(chunk: Uint8Array, start: number): number {
    let at = start;
    if (this.#escaped) {
      this.#escaped = false;
      at++;
    }
    for (; at < chunk.length; at++) {
      const byte = chunk[at];
      if (byte === quote) {
        this.#inString = false;
        break;
      }
      if (byte === backslash) {
        at++;
        this.#escaped = at === chunk.length;
      } else if (byte === lineFeed) {
        this.#line++;
        this.#lineStart = this.#base + at + 1;
      }
    }
    const end = Math.min(at, chunk.length);
    if (this.#inKey) {
      if (this.#key.length < 32) this.#key += String.fromCharCode(...chunk.subarray(start, Math.min(end, start + 32)));
      if (!this.#inString) this.#keyEnds();
    }
    if (this.#inString) return chunk.length;
    this.#ink = this.#base + at + 1;
    return at + 1;
  }

  #token(byte: number, chunk: Uint8Array, at: number, sink: RowSink): void {
    const position = this.#base + at;
    if (this.#depth === 0) this.#topLevel(byte, chunk, at, sink);
    if (this.#layout === "value") {
      this.#ink = position + 1;
      return;
    }
    const closes = byte === closeBrace || byte === closeBracket;
    if (this.#rowKeyNext && byte !== colon) this.#meetRowValue(byte);
    if (this.#listOpened) this.#meetElement(byte);
    if (this.#depth > 0 && this.#depth === this.#level && this.#rowStart < 0 && byte !== comma && !closes) {
      this.#rowStart = position;
      this.#rowLine = this.#line;
    }
    if (byte === quote) {
      this.#inString = true;
      this.#inKey = this.#keyNext && this.#depth === 1 && this.#inFirstObject();
      if (this.#inKey) this.#key = "";
    } else if (byte === comma) {
      if (this.#depth > 0 && this.#depth === this.#level) {
        if (this.#rowStart < 0) throw this.#unexpected(byte, chunk, at);
        this.#rowEnds(sink);
      }
      if (this.#depth === 1) this.#keyNext = true;
    } else if (byte === colon) {
      if (this.#depth === 1) this.#keyNext = false;
    } else if (closes) {
      this.#close(byte, chunk, at, sink);
    } else if (isBracket(byte)) {
      if (this.#depth === deepest) throw this.#fault(`the JSON is nested more than ${deepest} levels deep`, chunk, at);
      this.#open[this.#depth++] = byte;
      this.#listOpened = byte === openBracket && this.#depth === 2 && this.#inFirstObject();
    }
    this.#ink = position + 1;
  }

  #inFirstObject(): boolean {
    return this.#layout === "object" || this.#layout === "wrapper";
  }

  /** A byte outside of every bracket. */
  #topLevel(byte: number, chunk: Uint8Array, at: number, sink: RowSink): void {
    const place = { start: this.#base + at, end: 0, line: this.#line };
    if (byte === comma && this.#commaAllowed) {
      this.#commaAllowed = false;
    } else if (byte === openBracket && (this.#layout === "unknown" || this.#layout === "lists")) {
      this.#layout = "lists";
      this.#level = 1;
    } else if (byte === openBrace && this.#layout === "unknown") {
      this.#layout = "object";
      this.#object = place;
      this.#keyNext = true;
    } else if (byte === openBrace && (this.#layout === "documents" || this.#layout === "judged")) {
      // A second object: the first one was a row as well.
      if (this.#layout === "judged") this.#takeDocuments(sink);
      this.#object = place;
    } else if (this.#layout === "unknown" && byte !== comma && byte !== closeBrace && byte !== closeBracket) {
      this.#layout = "value";
      this.#rowStart = place.start;
      this.#rowLine = this.#line;
    } else {
      throw this.#unexpected(byte, chunk, at);
    }
  }

  #close(byte: number, chunk: Uint8Array, at: number, sink: RowSink): void {
    // The two brackets of a pair are two apart.
    if (this.#open[this.#depth - 1] !== byte - 2) throw this.#unexpected(byte, chunk, at);
    if (this.#depth === this.#level) {
      if (this.#rowStart >= 0) this.#rowEnds(sink);
      if (this.#level === 2) this.#level = -1;
    }
    this.#depth--;
    if (this.#depth > 0) return;
    this.#commaAllowed = true;
    this.#object.end = this.#base + at + 1;
    if (this.#layout === "documents") sink(this.#object.start, this.#object.end, this.#object.line);
    else if (this.#layout === "object" && this.#mayHoldRows()) this.#layout = "judged";
    else if (this.#layout === "object") this.#takeDocuments(sink);
  }

  #takeDocuments(sink: RowSink): void {
    this.#layout = "documents";
    this.#level = 0;
    this.#held = [];
    sink(this.#object.start, this.#object.end, this.#object.line);
  }

  #keyEnds(): void {
    this.#inKey = false;
    this.#rowKeyNext = this.#layout === "object" && rowKeys.has(this.#key.toLowerCase());
  }

  /** The first byte of a value under a row's key. */
  #meetRowValue(byte: number): void {
    this.#rowKeyNext = false;
    if (byte === quote) {
      this.#hasRowText = true;
    } else {
      this.#isRow = true;
      this.#held = [];
    }
  }

  #mayHoldRows(): boolean {
    if (this.#isRow || this.#lists.length === 0) return false;
    return !this.#hasRowText || this.#lists.some((key) => wrapperKeys.has(key.toLowerCase()));
  }

  /** The first byte in a list that is a value of the first object. */
  #meetElement(byte: number): void {
    this.#listOpened = false;
    if (byte !== openBrace || this.#isRow) return;
    this.#lists.push(this.#key);
    if (this.#lists.length === 1) this.#level = 2;
    else if (this.#layout === "wrapper") throw this.#severalLists();
  }

  #rowEnds(sink: RowSink): void {
    if (this.#layout === "object") {
      this.#held.push(this.#rowStart, this.#ink, this.#rowLine);
      const full = this.#held.length >= 3 * heldBack;
      if (full && this.#mayHoldRows()) this.#release(sink);
      else if (full) this.#held = [];
    } else {
      sink(this.#rowStart, this.#ink, this.#rowLine);
    }
    this.#rowStart = -1;
  }

  #release(sink: RowSink): void {
    if (this.#lists.length > 1) throw this.#severalLists();
    for (let at = 0; at < this.#held.length; at += 3) {
      sink(this.#held[at] ?? 0, this.#held[at + 1] ?? 0, this.#held[at + 2] ?? 1);
    }
    this.#held = [];
    this.#layout = "wrapper";
  }

  #severalLists(): DataError {
    const names = this.#lists.map((name) => `"${name}"`).join(", ");
    const problem = `the object holds several lists of rows (${names})`;
    return new DataError({ file: this.#file, problem, remedy: "save the list to train on as a file of its own" });
  }

  #unexpected(byte: number, chunk: Uint8Array, at: number): DataError {
    const shown = byte > 0x20 && byte < 0x7f ? `"${String.fromCharCode(byte)}"` : `byte 0x${byte.toString(16)}`;
    return this.#fault(`unexpected ${shown}`, chunk, at);
  }

  #fault(what: string, chunk: Uint8Array, at: number): DataError {
    const from = Math.max(this.#lineStart - this.#base, 0);
    const continued = (this.#lineStart > this.#base ? 0 : this.#continued) + continuations(chunk, from, at);
    const column = this.#base + at - this.#lineStart - continued + 1;
    return new DataError({
      kind: "syntax",
      file: this.#file,
      line: this.#line,
      column,
      problem: `not valid JSON at column ${column}: ${what}`,
      remedy: "give the whole file, as a list of objects such as [{…}, {…}]",
    });
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0d || byte === 0x09 || byte === lineFeed;
}

function isBracket(byte: number): boolean {
  return byte === openBrace || byte === openBracket || byte === closeBrace || byte === closeBracket;
}

function continuations(bytes: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at++) if (((bytes[at] ?? 0) & 0xc0) === 0x80) count++;
  return count;
}
