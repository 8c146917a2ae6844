/** The settings by themselves: numbers as typed, presets, what counts as changed, and settings as links and files. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allLinear, parseSharedRecipe, type Recipe, recipeDefaults } from "../../src/training/recipe";
import { readNumber } from "../../src/ui/stores/number-text";
import { presetNames, presets } from "../../src/ui/stores/presets";
import {
  adoptLength,
  adoptModel,
  changedFields,
  choosePreset,
  createRecipeStore,
  editForm,
  editText,
  replaceForm,
  resetField,
  untouchedForm,
} from "../../src/ui/stores/recipe";
import { formOf } from "../../src/ui/stores/recipe-form";
import { fromLink, mostCharacters, readShared, settingsToShare, toLink } from "../../src/ui/stores/shared-settings";

const model = { loraTargets: allLinear, defaultLearningRate: 0.00249, maxPositions: 1024 };
const ownTemplate = { kind: "model" } as const;

function openStore() {
  const store = createRecipeStore();
  adoptModel(store, model);
  return store;
}

describe("a number", () => {
  it.each([
    ["2e-4", 2e-4],
    [" 2E-4 ", 2e-4],
    ["1/5000", 2e-4],
    ["1 / 5000", 2e-4],
    ["0,0002", 2e-4],
    ["0,001", 0.001],
    ["1,5", 1.5],
    [".5", 0.5],
    ["5.", 5],
    ["1e3", 1000],
    ["−1", -1],
    ["2e-4/2", 1e-4],
  ])("%j is %f", (text, value) => expect(readNumber(text)).toEqual({ value }));

  it.each([
    ["", null],
    ["1,000", "thousands"],
    ["12,000,000", "thousands"],
    ["1,000.5", "thousands"],
    ["1/0", "zero"],
    ["abc", null],
    ["1.2.3", null],
    ["1,2,3", null],
    ["1/2/3", null],
    ["0x10", null],
    ["Infinity", null],
    ["1e", null],
    ["9".repeat(50), null],
  ])("%j is none, for a reason", (text, why) => expect(readNumber(text)).toEqual({ value: null, why }));

  it("is read back from whatever JavaScript writes", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) =>
        Object.is(readNumber(String(value)).value, value === 0 ? 0 : value),
      ),
    );
  });
});

describe("the presets", () => {
  it("leave a run as it was by default: Balanced", () => {
    const store = openStore();
    expect(store.getState().recipe).toEqual({ ...recipeDefaults, learningRate: 0.00249 });
    choosePreset(store, "thorough");
    choosePreset(store, "balanced");
    expect(store.getState().recipe).toEqual({ ...recipeDefaults, learningRate: 0.00249 });
  });

  it("set what they show, keep α/r at 2, and are no change", () => {
    const store = openStore();
    for (const name of presetNames) {
      choosePreset(store, name);
      const { recipe, errors } = store.getState();
      expect(errors).toEqual({});
      expect(recipe).toMatchObject({
        rank: Number(presets[name].text.rank),
        epochs: Number(presets[name].text.epochs),
        schedule: presets[name].schedule,
        steps: null,
      });
      expect((recipe?.alpha ?? 0) / (recipe?.rank ?? 1)).toBe(2);
      expect(changedFields(store.getState())).toEqual([]);
    }
    choosePreset(store, "quick");
    expect(store.getState().recipe?.learningRate).toBe(0.00374);
  });

  it("keep what data and memory decide", () => {
    const store = openStore();
    editText(store, "maxLength", "256");
    editForm(store, (form) => ({ ...form, flags: { ...form.flags, gradientCheckpointing: true } }));
    choosePreset(store, "thorough");
    expect(store.getState().recipe).toMatchObject({ maxLength: 256, gradientCheckpointing: true, rank: 16 });
    expect(changedFields(store.getState())).toEqual(["maxLength", "gradientCheckpointing"]);
  });

  it("take a model's rate by their own factor", () => {
    const store = createRecipeStore();
    choosePreset(store, "quick");
    adoptModel(store, { ...model, defaultLearningRate: 0.001 });
    expect(store.getState().recipe?.learningRate).toBe(0.0015);
  });
});

describe("what was changed", () => {
  it("is counted by value, not by how it is written, and each field has a way back", () => {
    const store = openStore();
    editText(store, "rank", "8.0");
    editText(store, "learningRate", "2.49e-3");
    adoptLength(store, 128);
    expect(changedFields(store.getState())).toEqual([]);
    editText(store, "rank", "12");
    editText(store, "learningRate", "1e-3");
    editForm(store, (form) => ({ ...form, lengthUnit: "steps", schedule: "constant", targets: ["q_proj"] }));
    const changed = ["rank", "learningRate", "steps", "targetModules", "schedule"] as const;
    expect(changedFields(store.getState())).toEqual(changed);
    for (const field of changed) resetField(store, field);
    expect(changedFields(store.getState())).toEqual([]);
    expect(store.getState().recipe).toEqual({ ...recipeDefaults, learningRate: 0.00249, maxLength: 128 });
  });

  it("goes all at once", () => {
    const store = openStore();
    editText(store, "seed", "7");
    editText(store, "maxLength", "64");
    replaceForm(store, untouchedForm(store.getState()));
    expect(changedFields(store.getState())).toEqual([]);
    expect(store.getState()).toMatchObject({ lengthTouched: false, rateTouched: false });
  });
});

describe("settings from elsewhere", () => {
  const base: Recipe = { ...recipeDefaults, learningRate: 1e-3 };

  it("are taken one by one", () => {
    expect(parseSharedRecipe({ rank: 16, alpha: -1, colour: "red", epochs: "3" }, base)).toEqual({
      recipe: { ...base, rank: 16 },
      given: ["rank"],
      faults: [
        "alpha is -1 and left out; it must be a number above 0, up to 65536.",
        'The setting "colour" is unknown and left out.',
        'epochs is "3" and left out; it must be a number above 0.',
      ],
    });
  });

  it("that are hostile change nothing", () => {
    const hostile = JSON.parse('{"__proto__": 1, "constructor": 2, "toString": 3}');
    expect(parseSharedRecipe(hostile, base)).toMatchObject({ recipe: base, given: [] });
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`x${index}`, index]));
    expect(parseSharedRecipe(many, base).faults).toHaveLength(64);
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (values) => {
        expect(parseSharedRecipe(values, base).recipe).toEqual(base);
      }),
    );
  });

  it("become a form that gives the same recipe", () => {
    const store = openStore();
    const recipe: Recipe = { ...base, targetModules: ["q_proj", "v_proj"], steps: 12, pack: false, dropout: 0.1 };
    replaceForm(store, formOf(recipe, allLinear), { rateTouched: true, lengthTouched: true });
    expect(store.getState().recipe).toEqual(recipe);
  });
});

describe("a link", () => {
  const changedStore = () => {
    const store = openStore();
    editText(store, "rank", "32");
    editText(store, "learningRate", "1/5000");
    editForm(store, (form) => ({ ...form, schedule: "linear", targets: ["q_proj", "v_proj"] }));
    return store;
  };
  const now = { model: "tabtune-tiny", template: ownTemplate, templates: [{ id: "chatml", label: "ChatML" }] };

  it("holds what differs from the defaults and no more", () => {
    expect(settingsToShare(openStore().getState(), "tabtune-tiny", ownTemplate)).toEqual({
      tabtune: "settings",
      version: 1,
      model: "tabtune-tiny",
      preset: "balanced",
      settings: {},
    });
    const shared = settingsToShare(changedStore().getState(), "m", { kind: "named", id: "chatml" });
    expect(shared?.settings).toEqual({
      rank: 32,
      learningRate: 2e-4,
      targetModules: ["q_proj", "v_proj"],
      schedule: "linear",
    });
    expect(shared?.template).toEqual({ kind: "named", id: "chatml" });
  });

  it("is not made while a field is wrong", () => {
    const store = openStore();
    editText(store, "rank", "x");
    expect(settingsToShare(store.getState(), "m", ownTemplate)).toBeNull();
  });

  it("goes round, umlauts and all, with nothing that an address must escape", () => {
    const shared = settingsToShare(changedStore().getState(), "Möwe/größer-日本", { kind: "own", jinja: "{{ „é“ }}" });
    if (shared === null) throw new TypeError("no settings");
    const link = toLink(shared);
    expect(link).toMatch(/^#settings=[A-Za-z0-9_-]+$/);
    expect(JSON.parse(fromLink(link) ?? "")).toEqual(shared);
  });

  it("says what it would change, then changes just that", () => {
    const shared = settingsToShare(changedStore().getState(), "tabtune-tiny", { kind: "named", id: "chatml" });
    const store = openStore();
    const offer = readShared(JSON.stringify(shared), { ...now, state: store.getState() });
    if (typeof offer === "string") throw new TypeError(offer);
    expect(offer.changes).toEqual([
      { name: "Rank", before: "8", after: "32" },
      { name: "Learning rate", before: "0.00249", after: "0.0002" },
      { name: "Layers to adapt", before: "all", after: "q_proj, v_proj" },
      { name: "Schedule", before: "Cosine", after: "Linear" },
      { name: "Chat template", before: "The model's own", after: "ChatML" },
    ]);
    expect([offer.faults, offer.notes]).toEqual([[], []]);
    replaceForm(store, offer.form, offer);
    expect(store.getState().recipe).toEqual(changedStore().getState().recipe);
  });

  it("keeps the length that was fitted to the data here", () => {
    const store = openStore();
    adoptLength(store, 128);
    const shared = settingsToShare(openStore().getState(), "tabtune-tiny", ownTemplate);
    const offer = readShared(JSON.stringify(shared), { ...now, state: store.getState() });
    expect(offer).toMatchObject({ changes: [], lengthTouched: false });
  });

  it("of a preset brings the preset", () => {
    const sender = openStore();
    choosePreset(sender, "thorough");
    const store = openStore();
    const json = JSON.stringify(settingsToShare(sender.getState(), "tabtune-tiny", ownTemplate));
    const offer = readShared(json, { ...now, state: store.getState() });
    if (typeof offer === "string") throw new TypeError(offer);
    expect(offer.preset).toBe("thorough");
    replaceForm(store, offer.form, offer);
    expect(changedFields({ ...store.getState() })).toEqual([]);
  });

  it("says in one sentence each what cannot be taken", () => {
    const settings = { rank: 0, colour: 1, maxLength: 4096, targetModules: ["x_proj", "q_proj"], epochs: 2 };
    const json = JSON.stringify({
      tabtune: "settings",
      version: 1,
      model: "other/model",
      settings,
      template: { kind: "named", id: "nope" },
    });
    const offer = readShared(json, { ...now, state: openStore().getState() });
    expect(offer).toMatchObject({
      changes: [
        { name: "Epochs", before: "3", after: "2" },
        { name: "Layers to adapt", before: "all", after: "q_proj" },
      ],
      faults: [
        "Rank is 0 and left out; it must be a whole number from 1 to 1024.",
        'The setting "colour" is unknown and left out.',
        "Max length is 4,096 and left out; the open model takes at most 1,024 tokens.",
        "The open model has no x_proj; these layers are left out.",
        'The chat template "nope" is unknown here, so yours stays.',
      ],
      notes: ["They were made for other/model; open is tabtune-tiny. To use that model, choose it under Model."],
    });
  });

  it.each([
    ["[]", /no JSON object/],
    ["{", /no JSON object/],
    ["{}", /no settings of Tabtune/],
    ['{"tabtune":"settings","version":2}', /later version/],
    ['{"tabtune":"settings","version":1,"settings":[]}', /no JSON object/],
    [`{"a":"${"x".repeat(mostCharacters)}"}`, /no JSON object/],
  ])("that is none is refused: %.40s", (json, message) => {
    expect(readShared(json, { ...now, state: openStore().getState() })).toMatch(message);
  });

  it("that is damaged is no text", () => {
    expect(fromLink("#settings=%%%")).toBeNull();
    expect(fromLink("#settings=_w")).toBeNull();
    expect(fromLink(`#settings=${"A".repeat(mostCharacters + 1)}`)).toBeNull();
  });
});
