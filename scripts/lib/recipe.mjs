// @ts-check
/** The studio's own recipe rules (src/training/recipe.ts), for scripts. */
import { CommandError } from "./errors.mjs";
import { inOptionTerms } from "./options.mjs";
import { importSource } from "./source.mjs";

/**
 * The whole recipe of a run; `learningRate` and `maxLength` are null where the model is to decide. Throws `CommandError`
 * (exit code 2) in terms of the options.
 * @param {Readonly<Record<string, unknown>>} fields
 */
export async function completeRecipe(fields) {
  const { RecipeError, parseRecipe, recipeDefaults } = await importSource("training/recipe");
  try {
    const recipe = parseRecipe({ ...recipeDefaults, learningRate: 1e-4, ...fields });
    return {
      ...recipe,
      learningRate: fields["learningRate"] === undefined ? null : recipe.learningRate,
      maxLength: fields["maxLength"] === undefined ? null : recipe.maxLength,
    };
  } catch (error) {
    if (!(error instanceof RecipeError)) throw error;
    throw new CommandError(inOptionTerms(error.field, error.message), 2);
  }
}
