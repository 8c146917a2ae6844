/** Any model of the hub, or one file behind an address: one field. Nothing is asked of anyone before it is sent. */
import { Button, Loader, Text, TextInput } from "@mantine/core";
import { Search } from "lucide-react";
import { lookUp, stopLookingUp } from "../../actions/choose-model";
import type { Way } from "../../stores/picker";
import { strings } from "../../strings";
import { useDesk, useMayChoose, useStudio } from "../../studio";
import { ErrorNote } from "../error-note";
import { useLostFocus } from "../lost-focus";

const text = strings.model.hub;

export function ModelHub() {
  const desk = useDesk();
  const address = useStudio("picker", (state) => state.address);
  const state = useStudio("picker", (picker) => picker.lookUp);
  const may = useMayChoose();
  const asking = state.state === "busy" && state.way === "hub";
  return (
    <form
      className="hub"
      onSubmit={(event) => {
        event.preventDefault();
        if (may) void lookUp(desk, "hub", address);
      }}
    >
      <div className="hub-line">
        <TextInput
          label={text.label}
          description={text.description}
          placeholder={text.example}
          value={address}
          onChange={(event) => desk.stores.picker.setState({ address: event.currentTarget.value })}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          className="grow"
        />
        {asking ? <CancelButton /> : <LookUpButton disabled={!may} />}
      </div>
      <Text size="xs" c="dimmed" role="status" className="wrap">
        {asking ? text.asking(state.address) : text.privacy}
      </Text>
      <LookUpError way="hub" retry={() => void lookUp(desk, "hub", address)} />
    </form>
  );
}

/** Two components: were it one button, the press that cancels would find it turned into the one that sends. */
function LookUpButton({ disabled }: { readonly disabled: boolean }) {
  const button = useLostFocus<HTMLButtonElement>();
  return (
    <Button
      ref={button}
      type="submit"
      variant="default"
      disabled={disabled}
      leftSection={<Search size={14} aria-hidden />}
    >
      {text.lookUp}
    </Button>
  );
}

function CancelButton() {
  const desk = useDesk();
  const button = useLostFocus<HTMLButtonElement>();
  return (
    <Button
      ref={button}
      variant="default"
      leftSection={<Loader size={14} color="currentColor" aria-hidden />}
      onClick={() => stopLookingUp(desk)}
    >
      {text.cancel}
    </Button>
  );
}

/** The title by what went wrong between here and the hub, where the error says so. */
export function faultTitle(reason: string | number | undefined): string | undefined {
  return strings.model.faults[String(reason)];
}

/** What came back instead of a model, where it was asked for. */
export function LookUpError({ way, retry }: { readonly way: Way; readonly retry: () => void }) {
  const state = useStudio("picker", (picker) => picker.lookUp);
  if (state.state !== "failed" || state.way !== way) return null;
  return (
    <ErrorNote
      error={state.error}
      title={faultTitle(state.error.data["reason"]) ?? text.failed}
      action={{ label: strings.errors.retry, run: retry }}
    />
  );
}
