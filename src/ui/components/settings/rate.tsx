/** The learning rate on a log scale, for those who would rather push than type. */

import { readNumber } from "../../stores/number-text";
import { editText } from "../../stores/recipe";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";

/** Powers of ten. */
const [least, most] = [-6, -1];
const text = strings.settings;

/** Two digits: what a slider of this width can tell apart. */
const rateAt = (power: number): string => String(Number((10 ** power).toPrecision(2)));

export function RateSlider() {
  const { recipe } = useDesk().stores;
  const typed = useStudio("recipe", (state) => state.form.text.learningRate);
  const value = readNumber(typed).value;
  const known = value !== null && value > 0;
  const power = known ? Math.min(most, Math.max(least, Math.log10(value))) : -4;
  return (
    <div className="rate-slider">
      <input
        type="range"
        aria-label={text.rateSlider}
        aria-valuetext={known ? text.rateSpoken(value) : strings.settings.takes.unknown}
        min={least}
        max={most}
        step={0.05}
        value={power}
        onChange={(event) => editText(recipe, "learningRate", rateAt(Number(event.currentTarget.value)))}
      />
      <div className="rate-ends numbers" aria-hidden>
        <span>1e-6</span>
        <span>1e-1</span>
      </div>
    </div>
  );
}
