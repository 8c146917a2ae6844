/** Makes the next value while the last one is used: rows are read and tokenized while the GPU works. */

/** Same values, same errors, same order; at most one value is made ahead. */
export async function* readAhead<T>(values: AsyncGenerator<T, void>): AsyncGenerator<T, void> {
  try {
    let next = values.next();
    while (true) {
      const { done, value } = await next;
      if (done) return;
      next = values.next();
      // It is awaited above; until then a failure must not count as unhandled.
      next.catch(() => undefined);
      yield value;
    }
  } finally {
    await values.return();
  }
}
