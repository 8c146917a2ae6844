/**
 * Activation checkpointing (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost") as a transformation of the
 * recorded calls: only checkpoints stay from the forward to the backward pass. Whatever else a backward call reads is
 * computed again right before it, from the nearest checkpoint, and only what is read: a block's last product, whose result
 * is the next checkpoint, is never repeated. The kernels are the same, so the gradients are the same bits.
 */
import { type Call, Graph } from "./graph";
import type { Tensor } from "./tensor";

/** The same program with less memory and more work. `graph` must have recorded its backward pass. */
export function recomputed(graph: Graph): Graph {
  const forward = graph.calls.slice(0, graph.backwardStart);
  const producers = producersOf(graph, forward);
  const result = new Graph({ gradients: false });
  for (const tensor of graph.kept) result.keep(tensor);
  result.calls.push(...forward);

  const again = new Map<Tensor, Tensor>();
  const copyOf = (tensor: Tensor): Tensor => {
    const root = Graph.rootOf(tensor);
    const producer = producers.get(root);
    if (!producer) return tensor;
    if (!again.has(root)) repeat(producer);
    const copy = again.get(root) ?? root;
    return tensor.storage.kind === "view" ? { ...tensor, storage: { ...tensor.storage, base: copy } } : copy;
  };
  const reading = (call: Call, writes: (tensor: Tensor) => Tensor): Call => ({
    ...call,
    tensors: new Map(
      [...call.tensors].map(([name, tensor]) => [name, name in call.kernel.reads ? copyOf(tensor) : writes(tensor)]),
    ),
  });
  const repeat = (call: Call): void => {
    const made = reading(call, (tensor) => {
      const copy: Tensor = { ...tensor, label: `${tensor.label}, recomputed` };
      again.set(tensor, copy);
      return copy;
    });
    result.calls.push(made);
  };
  for (const call of graph.calls.slice(graph.backwardStart)) result.calls.push(reading(call, (tensor) => tensor));
  return result;
}

/** The forward calls that may be repeated, by what they make: no checkpoint, nothing kept, nothing written in two places. */
function producersOf(graph: Graph, forward: readonly Call[]): ReadonlyMap<Tensor, Call> {
  const writers = new Map<Tensor, Call[]>();
  for (const call of forward) {
    for (const [name, tensor] of call.tensors) {
      if (!(name in call.kernel.writes)) continue;
      const root = Graph.rootOf(tensor);
      writers.set(root, [...(writers.get(root) ?? []), call]);
    }
  }
  const repeatable = (call: Call) =>
    [...call.tensors].every(
      ([name, tensor]) =>
        !(name in call.kernel.writes) ||
        (tensor.storage.kind === "planned" &&
          writers.get(tensor)?.length === 1 &&
          !graph.checkpoints.has(tensor) &&
          !graph.kept.has(tensor)),
    );
  return new Map([...writers].flatMap(([tensor, [call]]) => (call && repeatable(call) ? [[tensor, call]] : [])));
}
