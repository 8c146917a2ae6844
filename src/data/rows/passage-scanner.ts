/** Cuts plain text into rows that, put one after another, are the text again. */
import { headBytes, noContext, type RowScanner, type RowSink } from "../formats/types";

/** A line of its own between two documents, as GPT-2's corpora have it. */
export const separator = "<|endoftext|>";
const separatorBytes = new TextEncoder().encode(separator);
const lineFeed = 0x0a;

/** Characters from which a passage ends at the next paragraph, at the next line, anywhere. */
const limits = { paragraph: 2_000, line: 4_000, hard: 8_000 };

/**
 * Where the first 64 KB hold a separator line, every document is one row. Otherwise the whole file is one document, cut into
 * passages. White space around a document is no part of it; inside, nothing is lost.
 */
export class PassageScanner implements RowScanner {
  readonly context = noContext;
  /** The file's beginning, until it is clear whether it has separators. */
  #head: Uint8Array<ArrayBuffer> | null = new Uint8Array(headBytes);
  #headLength = 0;
  #separated = false;
  #offset = 0;
  #line = 1;
  /** The passage so far: −1 where none has begun. */
  #start = -1;
  #startLine = 1;
  #characters = 0;
  /** End of its last byte that is no white space. */
  #ink = 0;
  /** After its last space beyond `limits.line`: a better place for a hard cut. */
  #space = -1;
  #charactersAtSpace = 0;
  /** A passage that ended, until it is known whether more than white space follows. */
  #held: { readonly start: number; readonly end: number; readonly line: number } | null = null;
  /** The line so far: where it began, how much of the separator it matches (−1: none of it), whether it is blank. */
  #lineStart = 0;
  #lineInk = 0;
  #matched = 0;
  #blank = true;

  feed(chunk: Uint8Array, sink: RowSink): void {
    if (this.#head === null) {
      this.#scan(chunk, sink);
      return;
    }
    const taken = Math.min(chunk.length, headBytes - this.#headLength);
    this.#head.set(chunk.subarray(0, taken), this.#headLength);
    this.#headLength += taken;
    if (this.#headLength < headBytes) return;
    this.#leaveHead(sink);
    this.#scan(chunk.subarray(taken), sink);
  }

  finish(sink: RowSink): void {
    this.#leaveHead(sink);
    if (this.#separated && this.#matched === separatorBytes.length) this.#ink = this.#lineInk;
    if (this.#held !== null) sink(this.#held.start, this.#ink, this.#held.line);
    else if (this.#start >= 0 && this.#ink > this.#start) sink(this.#start, this.#ink, this.#startLine);
    this.#held = null;
    this.#start = -1;
  }

  #leaveHead(sink: RowSink): void {
    if (this.#head === null) return;
    const head = this.#head.subarray(0, this.#headLength);
    this.#head = null;
    const text = new TextDecoder().decode(head);
    this.#separated = text.split("\n").some((line) => line.trim() === separator);
    this.#scan(head, sink);
  }

  #scan(chunk: Uint8Array, sink: RowSink): void {
    const base = this.#offset;
    let at = 0;
    while (at < chunk.length) {
      const found = chunk.indexOf(lineFeed, at);
      const end = found === -1 ? chunk.length : found;
      if (!this.#passLine(chunk, at, end, sink)) this.#walk(chunk, at, end, sink);
      at = end;
      if (found === -1) break;
      at++;
      this.#characters++;
      this.#lineEnds(base + at, sink);
    }
    this.#offset = base + chunk.length;
  }

  /** Goes over bytes of a line that needs no cut and is no separator, as most are; false where `walk` must look closer. */
  #passLine(chunk: Uint8Array, from: number, to: number, sink: RowSink): boolean {
    if (this.#characters + to - from > limits.line) return false;
    let first = from;
    while (first < to && (chunk[first] ?? 0) <= 0x20) first++;
    const byte = chunk[first] ?? 0;
    if (this.#matched > 0 || (this.#matched === 0 && byte === separatorBytes[0])) return false;
    if (first < to) {
      this.#inked(byte, this.#offset + first + 1, sink);
      let last = first;
      let continued = 0;
      for (let at = first; at < to; at++) {
        const next = chunk[at] ?? 0;
        if ((next & 0xc0) === 0x80) continued++;
        if (next > 0x20) last = at;
      }
      this.#ink = this.#offset + last + 1;
      this.#characters -= continued;
    }
    this.#characters += to - from;
    return true;
  }

  #walk(chunk: Uint8Array, from: number, to: number, sink: RowSink): void {
    for (let at = from; at < to; at++) {
      const byte = chunk[at] ?? 0;
      const next = this.#offset + at + 1;
      // A continuation byte belongs to a character that has been counted.
      const begins = (byte & 0xc0) !== 0x80;
      if (begins && this.#characters >= limits.hard && !this.#separated) this.#hardCut(next - 1, sink);
      if (begins) this.#characters++;
      if (byte > 0x20) this.#inked(byte, next, sink);
      else if (this.#matched > 0 && this.#matched < separatorBytes.length) this.#matched = -1;
      if (byte === 0x20 && this.#characters > limits.line) {
        this.#space = next;
        this.#charactersAtSpace = this.#characters;
      }
    }
  }

  #inked(byte: number, next: number, sink: RowSink): void {
    this.#blank = false;
    if (this.#held !== null) {
      sink(this.#held.start, this.#held.end, this.#held.line, true);
      this.#held = null;
    }
    if (this.#matched >= 0) this.#matched = separatorBytes[this.#matched] === byte ? this.#matched + 1 : -1;
    if (this.#start < 0) {
      // Indentation before the first word is kept.
      this.#start = this.#lineStart;
      this.#startLine = this.#line;
    }
    this.#ink = next;
  }

  #lineEnds(next: number, sink: RowSink): void {
    if (this.#separated) {
      // Documents are not cut, whatever their length.
      this.#characters = 0;
      if (this.#matched === separatorBytes.length) {
        // The separator began the passage, or stands after a document's last line.
        if (this.#start >= 0 && this.#start < this.#lineStart) sink(this.#start, this.#lineInk, this.#startLine);
        this.#start = -1;
      }
    } else if (this.#start < 0) {
      this.#characters = 0;
    } else if (this.#characters >= (this.#blank ? limits.paragraph : limits.line)) {
      this.#cut(next, this.#line + 1, 0, sink);
    }
    this.#line++;
    this.#lineStart = next;
    this.#lineInk = this.#ink;
    this.#matched = 0;
    this.#blank = true;
  }

  #hardCut(here: number, sink: RowSink): void {
    if (this.#start < 0) this.#characters = 0;
    else if (this.#space > this.#start) {
      this.#cut(this.#space, this.#line, this.#characters - this.#charactersAtSpace, sink);
    } else this.#cut(here, this.#line, 0, sink);
  }

  /** The passage ends at `end`; `characters` of the next one have been seen. */
  #cut(end: number, line: number, characters: number, sink: RowSink): void {
    if (this.#held !== null) return;
    if (this.#ink > end) sink(this.#start, end, this.#startLine, true);
    else this.#held = { start: this.#start, end, line: this.#startLine };
    this.#start = end;
    this.#startLine = line;
    this.#characters = characters;
    this.#space = -1;
  }
}
