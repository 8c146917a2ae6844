/** The runs kept in this browser: to try, name, note, compare, take along, delete; and adapters from elsewhere. */
import { Text } from "@mantine/core";
import type { DragEvent } from "react";
import { refreshLibrary } from "../actions/library";
import { importAdapters } from "../actions/library-files";
import { ErrorNote } from "../components/error-note";
import { LibraryCard } from "../components/library/card";
import { LibraryCompare } from "../components/library/compare";
import { ConfirmDelete, UndoBar } from "../components/library/delete";
import { LibraryImport } from "../components/library/import";
import { LibraryStorage } from "../components/library/storage";
import { LibraryToolbar } from "../components/library/toolbar";
import { Section } from "../components/section";
import { filesOf } from "../dropped-files";
import { runBefore } from "../stores/run-settings";
import { strings } from "../strings";
import { useDesk, useStudio } from "../studio";

const text = strings.library;

export function LibraryScreen() {
  const desk = useDesk();
  const loaded = useStudio("library", (state) => state.loaded);
  const runs = useStudio("library", (state) => state.runs);
  const error = useStudio("library", (state) => state.error);
  const said = useStudio("library", (state) => state.said);
  const again = (): void => {
    desk.stores.library.setState({ error: null });
    void refreshLibrary(desk);
  };
  // Files dropped here are adapters; without this the page would take them for data or a model.
  const onDragOver = (event: DragEvent): void => {
    if (!isOurs(event)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  const onDrop = (event: DragEvent): void => {
    if (!isOurs(event)) return;
    event.preventDefault();
    event.stopPropagation();
    void filesOf(event.dataTransfer).then((files) => importAdapters(desk, files));
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping has its keyboard twin in the drop zone's picker.
    <div onDragOver={onDragOver} onDrop={onDrop}>
      <Section
        id="library"
        title={text.title}
        aside={
          runs.length > 0 && (
            <Text c="dimmed" className="section-name numbers">
              {text.count(runs.length)}
            </Text>
          )
        }
      >
        <div className="library">
          {error !== null && <ErrorNote error={error} action={{ label: strings.errors.retry, run: again }} />}
          <Text size="sm" c="dimmed">
            {!loaded ? text.loading : runs.length === 0 ? text.empty : text.privacy}
          </Text>
          {runs.length > 1 && <LibraryToolbar />}
          {runs.length > 0 && (
            <ul className="plain-list library-cards">
              {runs.map((run) => (
                <LibraryCard key={run.id} run={run} before={runBefore(run, runs)} />
              ))}
            </ul>
          )}
          <UndoBar />
          <Text size="sm" role="status" className="library-said wrap">
            {said}
          </Text>
          <LibraryImport />
          {runs.length > 0 && <LibraryStorage />}
        </div>
        <ConfirmDelete />
        <LibraryCompare />
      </Section>
    </div>
  );
}

/** Files, and not over the drop zone, which takes its own. */
const isOurs = ({ dataTransfer, target }: DragEvent): boolean =>
  dataTransfer.types.includes("Files") && target instanceof Element && target.closest(".drop") === null;
