/** Says over the settings whose they are, as long as they are those of a kept run that were taken over. */
import { Text } from "@mantine/core";
import { strings } from "../../strings";
import { useStudio } from "../../studio";

export function Duplicated() {
  const duplicated = useStudio("library", (state) => state.duplicated);
  const recipe = useStudio("recipe", (state) => state.recipe);
  const still = duplicated !== null && JSON.stringify(duplicated.recipe) === JSON.stringify(recipe);
  return (
    <Text size="sm" role="status" className="library-said wrap">
      {still && strings.library.duplicated(duplicated.name)}
    </Text>
  );
}
