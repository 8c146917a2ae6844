/** A JSON object of config.json whose fields are read one by one; null counts as absent, as in Python's configs. */
import * as z from "zod/mini";
import { ModelError } from "../errors";

type Json = Readonly<Record<string, unknown>>;

const objectSchema = z.record(z.string(), z.unknown());
const tokenIds = z.union([z.int().check(z.minimum(0)), z.array(z.int().check(z.minimum(0))).check(z.maxLength(1000))]);

/** Every reader throws `ModelError` naming file, field and value where the field is missing or out of range. */
export class ConfigFields {
  readonly #json: Json;
  readonly #path: string;

  /** `path` is how messages name the object: "config.json". */
  constructor(json: unknown, path: string) {
    const parsed = z.safeParse(objectSchema, json);
    if (!parsed.success)
      throw new ModelError(`${path} must be a JSON object, not ${show(json)}; use the file of the model.`);
    this.#json = parsed.data;
    this.#path = path;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#json, name) && this.#json[name] !== null && this.#json[name] !== undefined;
  }

  /** Present, though it may be null. */
  mentions(name: string): boolean {
    return Object.hasOwn(this.#json, name);
  }

  get isEmpty(): boolean {
    return Object.keys(this.#json).length === 0;
  }

  text(name: string, fallback?: string): string {
    return this.#read(name, z.string(), "a text", fallback);
  }

  flag(name: string, fallback = false): boolean {
    return this.#read(name, z.boolean(), "true or false", fallback);
  }

  int(name: string, min: number, max: number, fallback?: number): number {
    const type = z.int().check(z.minimum(min), z.maximum(max));
    const value = this.#read(name, type, `a whole number from ${min} to ${max}`, fallback);
    if (Number.isInteger(value)) return value;
    throw new ModelError(
      `${this.#path}: ${name} is missing and would be ${value}; it must be a whole number, write it into the file.`,
    );
  }

  number(name: string, min: number, max: number, fallback?: number): number {
    const type = z.number().check(z.minimum(min), z.maximum(max));
    return this.#read(name, type, `a number from ${min} to ${max}`, fallback);
  }

  /** `length` finite numbers. */
  numbers(name: string, length: number): readonly number[] {
    const type = z.array(z.number()).check(z.length(length));
    return this.#read(name, type, `a list of ${length} numbers`);
  }

  /** `length` texts, each one of `allowed`; null where the field is absent. */
  texts<T extends string>(name: string, length: number, allowed: readonly T[]): readonly T[] | null {
    if (!this.has(name)) return null;
    const type = z.array(z.enum(allowed)).check(z.length(length));
    return this.#read(name, type, `a list of ${length} texts, each ${allowed.join(" or ")}`);
  }

  /** One id or a list of ids; empty where absent. */
  ids(name: string): readonly number[] {
    const value = this.#read(name, tokenIds, "a token id or a list of token ids", []);
    return typeof value === "number" ? [value] : value;
  }

  object(name: string): ConfigFields | null {
    return this.has(name) ? new ConfigFields(this.#json[name], `${this.#path}: ${name}`) : null;
  }

  /** What is not built: throws unless the field is absent or has one of the values. */
  only(name: string, ...supported: readonly (string | boolean | number)[]): void {
    const value = this.#json[name];
    if (!this.has(name) || supported.some((each) => each === value)) return;
    throw this.error(
      name,
      supported.length === 0 ? "absent; it is not supported" : `${supported.join(" or ")}; others are not supported`,
    );
  }

  error(name: string, expected: string): ModelError {
    return new ModelError(`${this.#path}: ${name} is ${show(this.#json[name])}; it must be ${expected}.`);
  }

  #read<T>(name: string, type: z.ZodMiniType<T>, expected: string, fallback?: T): T {
    if (!this.has(name)) {
      if (fallback !== undefined) return fallback;
      throw new ModelError(`${this.#path}: ${name} is missing; it must be ${expected}.`);
    }
    const parsed = z.safeParse(type, this.#json[name]);
    if (!parsed.success) throw this.error(name, expected);
    return parsed.data;
  }
}

function show(value: unknown): string {
  return value === undefined ? "missing" : (JSON.stringify(value) ?? String(value)).slice(0, 80);
}
