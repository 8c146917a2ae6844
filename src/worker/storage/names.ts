/** Names of runs: those that people can remember and say ("amber-otter-12"), and the rules for those that people give. */

const longest = 80;
/** Two names that differ in this only would look the same in a list. */
const folded = (name: string): string => name.normalize("NFC").toLowerCase();
/** Control characters, line breaks, and those that turn the direction of writing. */
export const unseen = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;

/** One sentence, or null where the name can be used. `taken` are the names of the other runs. */
export function nameFault(name: string, taken: readonly string[]): string | null {
  if (name.trim() === "") return "The name is empty; give the run a name.";
  if (name.length > longest) return `The name has ${name.length} characters; ${longest} is the most, so shorten it.`;
  if (unseen.test(name)) return "The name holds a character that cannot be seen; type it anew.";
  const other = taken.find((known) => folded(known) === folded(name.trim()));
  return other === undefined ? null : `There is already a run named "${other}"; choose another name.`;
}

/** The wanted name, or the first of "name 2", "name 3", … that is free; a memorable one where the wanted one cannot be used. */
export function freeName(wanted: string, taken: readonly string[], random?: () => number): string {
  const whole = wanted.trim();
  if (nameFault(whole, taken) === null) return whole;
  const name = whole.slice(0, longest - 8).trim();
  if (nameFault(name, []) !== null) return runName(new Set(taken), random);
  if (nameFault(name, taken) === null) return name;
  let number = 2;
  while (nameFault(`${name} ${number}`, taken) !== null) number++;
  return `${name} ${number}`;
}

/** The name where file systems allow it: what they refuse becomes "-". */
export function fileStem(name: string): string {
  return name.replace(/[\\/:*?"<>|]/g, "-").replace(/^\.+|[. ]+$/g, "") || "run";
}

const colours =
  "amber ashen azure birch brass bronze chalk cinder clay clear cobalt copper coral cream crimson dusky ember fern flint frost ginger golden hazel indigo ivory jade lilac linen maple mellow mint misty mossy ochre olive opal pearl pine plum quartz rosy ruby russet rusty saffron sandy scarlet sepia silver slate smoky snowy tawny teal topaz umber velvet violet walnut wheat willow".split(
    " ",
  );

const animals =
  "badger beaver bison bittern bobcat caribou chough cicada condor coyote crane cricket curlew dingo dipper dunlin egret eider falcon ferret finch gannet gecko gibbon grebe grouse hare heron hoopoe ibex ibis jackal jay kestrel kite lark lemur linnet lynx magpie marmot marten mole moth newt ocelot oriole osprey otter owl panda petrel pika plover puffin quail raven robin seal shrew siskin skua stoat stork swift tapir tern thrush toad turtle vole walrus weasel wren".split(
    " ",
  );

/** A name that is not in `taken`. `random` gives numbers in [0, 1). */
export function runName(taken: ReadonlySet<string>, random: () => number = Math.random): string {
  const pick = (words: readonly string[]): string => words[Math.floor(random() * words.length)] ?? "run";
  const stem = `${pick(colours)}-${pick(animals)}`;
  let number = 1 + Math.floor(random() * 99);
  while (taken.has(`${stem}-${number}`)) number++;
  return `${stem}-${number}`;
}
