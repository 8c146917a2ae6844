/** Settings that a person may get wrong: each is refused with its name, its value and what it should be. */
import { describe, expect, it } from "vitest";
import {
  defaultLearningRate,
  fittingMaxLength,
  parseRecipe,
  RecipeError,
  recipeDefaults,
} from "../../src/training/recipe";

const good = { ...recipeDefaults, learningRate: 2e-4 };

describe("parseRecipe", () => {
  it("takes the defaults", () => {
    expect(parseRecipe(good)).toEqual(good);
  });

  it.each([
    ["rank", 0, "rank is 0; it must be a whole number from 1 to 1024."],
    ["rank", 2.5, "rank is 2.5; it must be a whole number from 1 to 1024."],
    ["learningRate", "abc", 'learningRate is "abc"; it must be a number above 0, up to 10, such as 2e-4.'],
    ["learningRate", Number.NaN, "learningRate is NaN; it must be a number above 0, up to 10, such as 2e-4."],
    ["learningRate", undefined, "learningRate is missing; it must be a number above 0, up to 10, such as 2e-4."],
    ["dropout", 1, "dropout is 1; it must be a number from 0 up to, not including, 1."],
    ["schedule", "cosin", 'schedule is "cosin"; it must be constant, linear or cosine.'],
    ["targetModules", [], 'targetModules is []; it must be "all-linear" or module names such as q_proj,v_proj.'],
    ["gradientCheckpointing", "yes", 'gradientCheckpointing is "yes"; it must be true or false.'],
    ["steps", 0, "steps is 0; it must be a whole number, 1 or more."],
    ["epochs", Number.POSITIVE_INFINITY, "epochs is Infinity; it must be a number above 0."],
  ])("refuses %s = %s", (field, value, message) => {
    let thrown: unknown;
    try {
      parseRecipe({ ...good, [field]: value });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(RecipeError);
    expect(thrown).toMatchObject({ field, message });
  });

  it("names what it does not know", () => {
    expect(() => parseRecipe({ ...good, optimiser: "sgd" })).toThrow('The setting "optimiser" is unknown');
  });
});

describe("defaultLearningRate", () => {
  it("follows the width", () => {
    expect(defaultLearningRate(2000)).toBe(5e-4);
    expect(defaultLearningRate(896)).toBe(9.36e-4);
    expect(defaultLearningRate(192)).toBe(3.12e-3);
  });
});

describe("fittingMaxLength", () => {
  it.each([
    [1, 128],
    [128, 128],
    [129, 256],
    [300, 512],
    [512, 512],
    [2000, 512],
  ])("of rows up to %i tokens is %i", (longest, fitting) => expect(fittingMaxLength(longest, 512)).toBe(fitting));

  it("never exceeds what the model takes", () => expect(fittingMaxLength(20, 64)).toBe(64));
});
