/** The page side of the benchmark: fetches a model folder and measures in the browser. */
import { httpFolder } from "../../src/model/folder";
import { type Measurement, type MeasureOptions, measureStep } from "./measure";

declare global {
  var measure: (name: string, base: string, paths: readonly string[], options: MeasureOptions) => Promise<Measurement>;
}

globalThis.measure = (name, base, paths, options) => measureStep(navigator.gpu, httpFolder(name, base, paths), options);
