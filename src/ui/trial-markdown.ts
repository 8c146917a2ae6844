/** Answers and measured rows as Markdown, to be pasted into a note or an issue. Pure. */
import type { RowLosses } from "../worker/protocol";
import type { Origin } from "./stores/row-losses";
import { difference, summarize } from "./stores/row-order";
import type { Answer, Asked } from "./stores/trial";
import { strings } from "./strings";

const text = strings.trial.markdown;

/** What a model writes may hold a fence itself: ours is longer. */
function fenced(content: string): string {
  const longest = Math.max(2, ...[...content.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${content}\n${fence}`;
}

export function answersMarkdown(asked: Asked, base: Answer, tuned: Answer): string {
  const { prompt, chat, model, run, strength, maxNewTokens, sampling } = asked;
  const facts = [
    text.model(cell(model)),
    ...(run === null ? [] : [text.run(cell(run), strength)]),
    text.given(chat.base, run === null ? chat.base : chat.tuned),
    text.sampling(strings.trial.sampling.told(sampling), maxNewTokens),
  ];
  const answers = [
    ["###", strings.trial.base, base] as const,
    ...(run === null ? [] : [["###", strings.trial.tunedAs(run, strength), tuned] as const]),
  ];
  return [
    `## ${text.title}`,
    facts.join("\n"),
    `### ${text.prompt}`,
    fenced(prompt),
    ...answers.flatMap(([level, title, answer]) => [`${level} ${cell(title)}`, fenced(answer.text), ...ending(answer)]),
    "",
  ].join("\n\n");
}

function ending({ summary }: Answer): readonly string[] {
  if (summary?.stopped === "length") return [`(${strings.trial.cut})`];
  return summary?.stopped === "aborted" ? [`(${strings.trial.aborted})`] : [];
}

const oneLine = (value: string): string => value.replace(/\s+/g, " ").trim();

/** Nothing in a cell ends the cell, the line, or the table's plain text. */
const cell = (value: string): string =>
  oneLine(value)
    .replace(/[\\|`*_[\]~]/g, "\\$&")
    .replaceAll("<", "&lt;");

export function rowsMarkdown(rows: readonly RowLosses[], { model, runName, dataName }: Origin): string {
  const { columns, prompt, answer, summary, loss, difference: signed, line } = strings.trial.rows;
  const whole = summarize(rows);
  const head = [columns.row, prompt, answer, columns.base, columns.tuned, columns.difference];
  const body = rows.map((row) => [
    cell(`${row.file} ${line(row.line)}`),
    cell(row.prompt),
    cell(row.answer),
    loss(row.base),
    loss(row.tuned),
    signed(difference(row)),
  ]);
  const table = [head, ["---", "---", "---", "---:", "---:", "---:"], ...body].map(
    (cells) => `| ${cells.join(" | ")} |`,
  );
  return [
    [text.model(cell(model.name)), text.run(cell(runName), 1), text.data(cell(dataName))].join("\n"),
    ...(whole === null ? [] : [summary(whole)]),
    table.join("\n"),
    "",
  ].join("\n\n");
}
