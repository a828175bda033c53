// The world around the page, as tests/page_stage.rs plays it: readers, door, cloud and gateway obey orders, one line each.
import { createInterface } from 'node:readline';

const waiting = new Map();
let last = 0;
let ended = () => {};

export const told = JSON.parse(process.argv[2]);

// Whoever gave the orders is gone: the end of the input says so as well, and there the browser is closed.
process.stdout.on('error', () => {});

function write(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
export const say = (words) => write({ say: words });
export const figure = (name, value, unit) => write({ figure: name, value: Math.round(value * 10) / 10, unit });
export const failed = (flow, words) => write({ failed: flow, words });
export const done = () => write({ done: true });

/** What to do when whoever gave us the orders is gone. */
export function whenAlone(then) {
  ended = then;
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { answer, value } = JSON.parse(line);
    waiting.get(answer)?.(value);
    waiting.delete(answer);
  })
  .on('close', () => ended());

function ask(what, more = {}) {
  const ask = ++last;
  write({ ask, do: what, ...more });
  return new Promise((resolve) => waiting.set(ask, resolve));
}

/** A card on the desk's reader; a second one beside it if there is one. */
export const lay = (card) => ask('lay', { card });
/** This card instead of what lay there. */
export const swap = (card) => ask('swap', { card });
/** Nothing lies on the desk's reader any more. */
export const clear = () => ask('clear');
/** A card at the front door: `{ light, released }`. */
export const tap = (card) => ask('tap', { card });
export const pullInTheMiddle = () => ask('pull in the middle');
export const unplug = () => ask('unplug');
export const plug = () => ask('plug');
export const cloudDown = (down) => ask('cloud', { down });
/** Somebody works at the platform: gives a card, takes one. */
export const give = (person, card) => ask('give', { person, card });
export const take = (person, card) => ask('take', { person, card });
/** The cards that the platform shows for somebody. */
export const cardsAtCloud = (person) => ask('cards', { person });
/** The building's network between browser and gateway breaks, or is whole again. */
export const cutLine = (cut) => ask('line', { cut });
export const kill = () => ask('kill');
export const start = () => ask('start');

/** A command of the program: its document, or its text without `--json` among the arguments. */
export async function run(...args) {
  const { status, out, error } = await ask('run', { arguments: args });
  if (status !== 0) throw new Error(`doorward ${args.join(' ')}: ${status}: ${error}${out}`);
  return out;
}
export const runJson = async (...args) => JSON.parse(await run(...args, '--json'));
/** The journal, oldest first. */
export async function events() {
  const out = await run('events', '--json', '--limit', '100000');
  return out.split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

/** Waits until `look` gives something true, and fails with what it last saw. */
export async function until(what, look, within = 45_000) {
  const deadline = Date.now() + within;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > deadline) throw new Error(`waited ${within} ms for ${what}; last seen: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
