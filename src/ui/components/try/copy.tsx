/** Copies a text; where the browser lets nothing into the clipboard, the text is shown, to be copied by hand. */
import { Button, Text, Textarea } from "@mantine/core";
import { Copy } from "lucide-react";
import { useState } from "react";
import { strings } from "../../strings";

const text = strings.trial.copy;

interface Props {
  readonly label: string;
  readonly make: () => string;
}

export function CopyMarkdown({ label, make }: Props) {
  const [copied, setCopied] = useState(false);
  const [byHand, setByHand] = useState<string | null>(null);
  const copy = async (): Promise<void> => {
    const made = make();
    try {
      await navigator.clipboard.writeText(made);
      setByHand(null);
      setCopied(true);
      setTimeout(() => setCopied(false), 3000);
    } catch {
      setCopied(false);
      setByHand(made);
    }
  };
  return (
    <div className="copy">
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<Copy size={14} aria-hidden />}
        onClick={() => void copy()}
      >
        {label}
      </Button>
      <Text size="xs" c="dimmed" role="status">
        {copied && text.copied}
      </Text>
      {byHand !== null && (
        <Textarea
          label={text.byHand}
          value={byHand}
          readOnly
          rows={6}
          className="copy-by-hand numbers"
          onFocus={(event) => event.currentTarget.select()}
        />
      )}
    </div>
  );
}
