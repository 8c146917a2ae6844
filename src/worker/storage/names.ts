/** Names that people can remember and say for runs: "amber-otter-12". */

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
