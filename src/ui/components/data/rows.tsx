/** The rows in three views, a page at a time: as the file has them, as a chat, as tokens. */
import { ActionIcon, Button, Group, Tabs, Text } from "@mantine/core";
import { ChevronFirst, ChevronLast, ChevronLeft, ChevronRight, Expand } from "lucide-react";
import { useState } from "react";
import type { RowView } from "../../../worker/protocol";
import { showPage, showTab } from "../../actions/rows";
import { pageRows, type RowTab, rowTabs } from "../../stores/data";
import { strings } from "../../strings";
import { useDesk, useStudio } from "../../studio";
import { Dialog } from "../dialog";
import { ErrorNote } from "../error-note";
import { TokenStrip } from "../token-strip";
import { viewsId } from "./problems";
import { RowChat } from "./row-chat";
import { RowTable } from "./row-table";

const text = strings.data;

/** `cellsOnly`: the rows are not understood yet, so that there is no chat and no token to show. */
export function DataRows({ cellsOnly }: { readonly cellsOnly: boolean }) {
  const desk = useDesk();
  const only = useStudio("data", ({ view }) => view.problem);
  const [large, setLarge] = useState(false);
  return (
    // The focus comes here when rows with a problem are asked for.
    <section id={viewsId} tabIndex={-1} aria-label={text.views} className="views">
      {only !== null && (
        <Group gap={8} className="only">
          <Text size="sm" className="grow" role="status">
            {text.only(text.problemTitles[only])}
          </Text>
          <Button variant="default" size="compact-sm" onClick={() => void showPage(desk, { from: 0, problem: null })}>
            {text.all}
          </Button>
        </Group>
      )}
      <Views cellsOnly={cellsOnly} onEnlarge={() => setLarge(true)} />
      <Dialog opened={large} onClose={() => setLarge(false)} title={text.views} whole>
        <Views cellsOnly={cellsOnly} onEnlarge={null} />
      </Dialog>
    </section>
  );
}

interface ViewsProps {
  readonly cellsOnly: boolean;
  readonly onEnlarge: (() => void) | null;
}

function Views({ cellsOnly, onEnlarge }: ViewsProps) {
  const desk = useDesk();
  const view = useStudio("data", (state) => state.view);
  const head = useStudio("data", (state) => state.head);
  const seen = useStudio("data", (state) => state.shown !== null);
  const rows = seen ? view.rows : head;
  const tabs = cellsOnly ? rowTabs.slice(0, 1) : rowTabs;
  const shownTab = cellsOnly ? "table" : view.tab;
  return (
    <Tabs
      value={shownTab}
      onChange={(value) => {
        const tab = rowTabs.find((each) => each === value);
        if (tab !== undefined) showTab(desk, tab);
      }}
    >
      <div className="views-head">
        <Tabs.List className="grow">
          {tabs.map((tab) => (
            <Tabs.Tab key={tab} value={tab}>
              {text.view[tab]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {onEnlarge !== null && (
          <ActionIcon variant="subtle" color="gray" onClick={onEnlarge} aria-label={text.enlarge} title={text.enlarge}>
            <Expand size={16} aria-hidden />
          </ActionIcon>
        )}
      </div>
      {tabs.map((tab) => (
        <Tabs.Panel key={tab} value={tab}>
          {tab === shownTab && <Page tab={tab} rows={rows} faded={view.busy} problems={!cellsOnly} />}
        </Tabs.Panel>
      ))}
      {view.error !== null && (
        <ErrorNote error={view.error} action={{ label: strings.errors.retry, run: () => void showPage(desk, {}) }} />
      )}
      {seen ? (
        <Paging />
      ) : (
        <Text size="xs" c="dimmed" className="paging">
          {text.headOnly}
        </Text>
      )}
    </Tabs>
  );
}

function Page({
  tab,
  rows,
  faded,
  problems,
}: {
  readonly tab: RowTab;
  readonly rows: readonly RowView[];
  readonly faded: boolean;
  readonly problems: boolean;
}) {
  return (
    <section
      className={faded ? "view-page faded" : "view-page"}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard.
      tabIndex={0}
      aria-label={text.view[tab]}
      aria-busy={faded}
    >
      {tab === "tokens" && (
        <Text size="xs" component="div" className="legend">
          <span className="token counted">{text.legendCounted}</span>
          <span className="token masked">{text.legendMasked}</span>
        </Text>
      )}
      {tab === "table" && <RowTable rows={rows} problems={problems} />}
      {tab === "chat" && rows.map((row) => <RowChat key={row.row} row={row} />)}
      {tab === "tokens" && rows.map((row) => <TokenStrip key={row.row} row={row} />)}
    </section>
  );
}

function Paging() {
  const desk = useDesk();
  const { from, total, rows, busy } = useStudio("data", (state) => state.view);
  const lastPage = Math.max(0, Math.floor((total - 1) / pageRows) * pageRows);
  const steps = [
    { label: text.first, to: 0, off: from === 0, Icon: ChevronFirst },
    { label: text.previous, to: Math.max(0, from - pageRows), off: from === 0, Icon: ChevronLeft },
    { label: text.next, to: from + pageRows, off: from + pageRows >= total, Icon: ChevronRight },
    { label: text.last, to: lastPage, off: from >= lastPage, Icon: ChevronLast },
  ] as const;
  return (
    <nav className="paging" aria-label={text.pages}>
      <Text size="xs" c="dimmed" className="numbers grow" role="status">
        {text.page(from + 1, Math.min(total, from + Math.max(1, rows.length)), total)}
      </Text>
      {steps.map(({ label, to, off, Icon }) => (
        <ActionIcon
          key={label}
          variant="default"
          disabled={off || busy}
          onClick={() => void showPage(desk, { from: to })}
          aria-label={label}
          title={label}
        >
          <Icon size={16} aria-hidden />
        </ActionIcon>
      ))}
    </nav>
  );
}
