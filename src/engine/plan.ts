/**
 * Places every intermediate tensor of one or more graphs in a few shared buffers ("slots"), by liveness. Separate slots
 * instead of one arena: WebGPU forbids a dispatch to bind one buffer both read-only and writable, whatever the ranges.
 */
import { EngineError } from "./errors";
import { Graph } from "./graph";
import { maxBytes, type Tensor } from "./tensor";

export interface GraphPlan {
  /** Slot index of each planned tensor. */
  readonly slotOf: ReadonlyMap<Tensor, number>;
  /** Bytes of each slot, largest first. */
  readonly slots: readonly number[];
  /** What the tensors would take without reuse. */
  readonly withoutReuse: number;
}

const alignment = 256;

interface Life {
  readonly tensor: Tensor;
  first: number;
  last: number;
}

/** Throws `EngineError` where a planned tensor is read before any call writes it. */
export function planGraph(graph: Graph): GraphPlan {
  const lives = new Map<Tensor, Life>();
  graph.calls.forEach((call, index) => {
    for (const [name, bound] of call.tensors) {
      const tensor = Graph.rootOf(bound);
      if (tensor.storage.kind !== "planned") continue;
      const life = lives.get(tensor);
      if (life) life.last = index;
      else {
        if (name in call.kernel.reads) {
          throw new EngineError(`${call.kernel.name} reads ${name} (${tensor.label}) before anything has written it.`);
        }
        lives.set(tensor, { tensor, first: index, last: index });
      }
    }
  });
  for (const tensor of graph.kept) {
    const life = lives.get(Graph.rootOf(tensor));
    if (life) life.last = Number.POSITIVE_INFINITY;
  }

  const starts = groupBy([...lives.values()], (life) => life.first);
  const ends = groupBy([...lives.values()], (life) => life.last);
  const sizes: number[] = [];
  const free = new Set<number>();
  const slotOf = new Map<Tensor, number>();
  let withoutReuse = 0;
  graph.calls.forEach((_, index) => {
    const arrivals = (starts.get(index) ?? []).sort((a, b) => maxBytes(b.tensor) - maxBytes(a.tensor));
    for (const { tensor } of arrivals) {
      const bytes = Math.max(alignment, Math.ceil(maxBytes(tensor) / alignment) * alignment);
      withoutReuse += bytes;
      const slot = bestFit(sizes, free, bytes);
      if (slot === null) {
        slotOf.set(tensor, sizes.length);
        sizes.push(bytes);
      } else {
        free.delete(slot);
        sizes[slot] = Math.max(sizes[slot] as number, bytes);
        slotOf.set(tensor, slot);
      }
    }
    for (const { tensor } of ends.get(index) ?? []) free.add(slotOf.get(tensor) as number);
  });

  const order = sizes.map((_, slot) => slot).sort((a, b) => (sizes[b] as number) - (sizes[a] as number) || a - b);
  const rank = new Map(order.map((slot, position) => [slot, position]));
  return {
    slotOf: new Map([...slotOf].map(([tensor, slot]) => [tensor, rank.get(slot) as number])),
    slots: order.map((slot) => sizes[slot] as number),
    withoutReuse,
  };
}

/** Slots that serve several programs in turn: the i-th holds the largest i-th slot of any. */
export function sharedSlots(plans: readonly GraphPlan[]): number[] {
  const slots: number[] = [];
  for (const plan of plans) {
    plan.slots.forEach((bytes, index) => {
      slots[index] = Math.max(slots[index] ?? 0, bytes);
    });
  }
  return slots;
}

/** The smallest free slot that is large enough, else the largest free one (it grows), else none. */
function bestFit(sizes: readonly number[], free: ReadonlySet<number>, bytes: number): number | null {
  let fitting: number | null = null;
  let largest: number | null = null;
  for (const slot of free) {
    const size = sizes[slot] as number;
    if (size >= bytes && (fitting === null || size < (sizes[fitting] as number))) fitting = slot;
    if (largest === null || size > (sizes[largest] as number)) largest = slot;
  }
  return fitting ?? largest;
}

function groupBy(lives: readonly Life[], key: (life: Life) => number): Map<number, Life[]> {
  const groups = new Map<number, Life[]>();
  for (const life of lives) {
    const group = groups.get(key(life));
    if (group) group.push(life);
    else groups.set(key(life), [life]);
  }
  return groups;
}
