/** The calls about data: looking at it, paging through its rows, what two datasets share, and the memory that a run on it takes. */
import { type Dataset, heldOutBatches, inAllRows, planTraining } from "../data/dataset";
import { commonRows } from "../data/survey/overlap";
import { readRow } from "../data/survey/read-row";
import { rowView } from "../data/survey/row-view";
import { fittingMaxLength } from "../training/recipe";
import { planMemory, type SessionSizes } from "../training/session";
import type { DataLease, DataListener, DataSlot } from "./data-slot";
import { datasetInfo, range, rowViews } from "./dataset-info";
import { StudioError } from "./errors";
import type { ModelSlot, OpenModel } from "./model-slot";
import type { DataSource, Handlers } from "./protocol";
import type { Reader } from "./reader";
import { checkRecipe, heldOutData, largerSizes } from "./run-input";

/** Rows of one page of `viewRows`. */
const mostViews = 200;

interface Inspected extends DataLease {
  readonly reader: Reader;
  /** Problems whose rows are left out. */
  readonly skip: readonly string[];
}

export interface DataHandlers
  extends Pick<Handlers, "openReader" | "inspectDataset" | "viewRows" | "overlap" | "plan"> {
  /** The model is about to change: what was inspected for it is let go of. */
  forget(): void;
  /** What was inspected last for this model; null where nothing was. */
  inspected(open: OpenModel): Pick<Inspected, "dataset" | "skip"> | null;
}

export function dataHandlers(slot: ModelSlot, datasets: DataSlot): DataHandlers {
  let inspected: Inspected | null = null;
  /** Number of the look that began last: an earlier one that ends later does not take its place. */
  let looks = 0;

  const forget = (): void => {
    looks++;
    inspected?.release();
    inspected = null;
    datasets.forgetModel();
  };

  return {
    forget,

    inspected: (open) => (inspected?.reader === open ? inspected : null),

    openReader: async ({ source }, emit, signal) => {
      const info = await slot.openReader(source, emit, signal);
      forget();
      return info;
    },

    inspectDataset: async ({ data, recipe: given, fitMaxLength = false, evalData = null }, emit, signal) => {
      const { reader } = slot;
      let recipe = checkRecipe(given, reader);
      const look = ++looks;
      const openData = (source: DataSource, listener: Pick<DataListener, "onHead"> = {}) =>
        datasets.open(
          reader,
          source,
          recipe,
          { onProgress: (progress) => emit({ kind: "progress", progress }), ...listener },
          signal,
        );
      const fitting = ({ survey, figures }: Dataset) => {
        return survey.exact ? fittingMaxLength(figures.longestRow, recipe.maxLength) : recipe.maxLength;
      };
      const fittingHeldOut = async (source: DataSource): Promise<number> => {
        try {
          const heldOut = await openData(heldOutData(source));
          heldOut.release();
          return fitting(heldOut.dataset);
        } catch {
          // What is wrong with it is said where it is used; here it has no say.
          signal.throwIfAborted();
          return 0;
        }
      };
      let lease = await openData(data, {
        onHead: (rows, reading) => {
          emit({ kind: "head", rows: rows.map((raw) => rowView(readRow(raw, reading), reading)) });
        },
      });
      if (fitMaxLength) {
        const longer = lease;
        try {
          let maxLength = fitting(longer.dataset);
          if (evalData && maxLength < recipe.maxLength) maxLength = Math.max(maxLength, await fittingHeldOut(evalData));
          if (maxLength < recipe.maxLength) {
            recipe = { ...recipe, maxLength };
            lease = await openData(data);
          }
        } catch (error) {
          longer.release();
          throw error;
        }
        if (lease !== longer) longer.release();
      }
      const info = await datasetInfo(lease.dataset, data.options, recipe).catch((error: unknown) => {
        lease.release();
        throw error;
      });
      if (look === looks) {
        inspected?.release();
        inspected = { ...lease, reader, skip: data.options.skip };
      } else lease.release();
      return info;
    },

    viewRows: async ({ from, count, problem }) => {
      if (!inspected) throw new StudioError("bad-input", "No dataset is open; choose one first.");
      const { dataset } = inspected;
      const rows = problem === null ? null : dataset.survey.rowsWith(problem);
      const total = rows ? rows.length : dataset.source.rows;
      const first = Math.max(0, Math.min(Math.floor(from) || 0, total));
      const end = Math.min(total, first + Math.max(0, Math.min(Math.floor(count) || 0, mostViews)));
      return { rows: await rowViews(dataset, rows ? rows.slice(first, end) : range(first, end)), total };
    },

    overlap: async ({ data, evalData, recipe: given }, emit, signal) => {
      const { reader } = slot;
      const recipe = checkRecipe(given, reader);
      const listener = { onProgress: emit };
      const trained = await datasets.open(reader, data, recipe, listener, signal);
      try {
        const heldOut = await datasets.open(reader, heldOutData(evalData), recipe, listener, signal);
        try {
          const { dataset } = heldOut;
          const { survey } = trained.dataset;
          const { compared, count, rows } = commonRows(dataset.survey, survey);
          return {
            rows: inAllRows(dataset, count),
            comparedRows: compared,
            exact: survey.exact && dataset.survey.exact,
            examples: await rowViews(dataset, rows),
          };
        } finally {
          heldOut.release();
        }
      } finally {
        trained.release();
      }
    },

    plan: async ({ recipe: given }) => {
      const open = slot.current;
      const recipe = checkRecipe(given, open);
      return planMemory(open.device, open.model, recipe, sizesFor(open, recipe.maxLength) ?? fullRows());

      function fullRows(): SessionSizes {
        const rows = recipe.batchSize * recipe.maxLength;
        return { maxTokens: rows, maxTargets: rows, maxSegment: recipe.maxLength };
      }

      /** Null where what was inspected says nothing about this run. */
      function sizesFor(model: OpenModel, maxLength: number): SessionSizes | null {
        if (inspected?.reader !== model) return null;
        const { dataset } = inspected;
        if ((dataset.survey.exact ? dataset.figures.longestRow : dataset.reading.maxLength) > maxLength) return null;
        const plan = planTraining(dataset, recipe);
        return plan.steps === 0 ? null : largerSizes(plan, heldOutBatches(dataset, plan.maxTokens));
      }
    },
  };
}
