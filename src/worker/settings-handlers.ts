/** What the settings of a run ask the open model: how large its modules are, and how fast it learns. */
import { type Calibration, calibrate, type MeasuredData } from "./calibrate";
import { StudioError } from "./errors";
import type { ModelSlot, OpenModel } from "./model-slot";
import type { CallName, Handlers, TargetModule } from "./protocol";
import { checkRecipe } from "./run-input";

type SettingsHandlers = Pick<Handlers, "targetModules" | "calibrate">;

export function settingsHandlers(
  slot: ModelSlot,
  calibration: Calibration,
  inspected: (open: OpenModel) => MeasuredData | null,
  exclusive: <T>(call: CallName, work: () => Promise<T>) => Promise<T>,
): SettingsHandlers {
  return {
    targetModules: async () => {
      const { model } = slot.current;
      return model.blueprint.adapterTargets.map((module): TargetModule => {
        const matrices = [...model.matrices].filter(([name]) => name.slice(name.lastIndexOf(".") + 1) === module);
        const sum = (of: (rows: number, columns: number) => number): number =>
          matrices.reduce((total, [, { rows, columns }]) => total + of(rows, columns), 0);
        return {
          module,
          matrices: matrices.length,
          parameters: sum((rows, columns) => rows * columns),
          perRank: sum((rows, columns) => rows + columns),
        };
      });
    },

    calibrate: ({ recipe }, emit, signal) =>
      calibration.run(signal, (stopped) =>
        exclusive("calibrate", async () => {
          const open = slot.current;
          await slot.requireTrusted(emit, stopped);
          const data = inspected(open);
          if (!data) throw new StudioError("bad-input", "No dataset is open; choose one first.");
          return calibrate(open, data, checkRecipe(recipe, open), emit, stopped);
        }),
      ),
  };
}
