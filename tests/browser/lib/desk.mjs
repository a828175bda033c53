// Somebody at the desk: a fob on the reader, a name from the keyboard.
import { connected, hook } from './staff.mjs';
import { events, swap, tap, until } from './world.mjs';

/** A fob that nobody has, by two digits; each flow has its own, so that none shows what another left. */
export const fob = (digits) => `04C100000000${digits}`;
export const uid = (card) => `uid:${card}`;

/** The desk shows this: `idle`, `new`, `held`, `unfit` or `done`. */
export const stage = (page, state) => page.locator(`[data-test=stage][data-state=${state}]`);

/** Lays a card on the reader, instead of what lay there, and waits until the page shows it. Gives when it was laid. */
export async function present(page, card, state) {
  const laid = await swap(card);
  await stage(page, state).locator('[data-test=card]', { hasText: card.slice(-2) }).waitFor();
  return laid;
}

/** The desk, ready for a card. */
export async function ready(page) {
  await connected(page);
  await hook(page, 'stage').waitFor();
}

/** Types a name where the focus is, waits for who is marked, and presses Enter. */
export async function giveByKeyboard(page, words, person) {
  await page.keyboard.type(words);
  await page.locator(`[data-test=person-option][data-person=${person}][aria-selected=true]`).waitFor();
  await page.keyboard.press('Enter');
}

const entries = async () => (await events()).filter((it) => ['granted', 'refused'].includes(it.kind));

/** Presents a card at the front door: its light, and whose entry it was. */
export async function enters(card) {
  const before = (await entries()).length;
  const { light } = await tap(card);
  const entry = await until(`the entry of ${card.slice(-2)}`, async () => (await entries())[before]);
  return { light, person: entry.person?.id ?? null, reason: entry.reason };
}

export function expect(what, seen, wanted) {
  const [one, other] = [JSON.stringify(seen), JSON.stringify(wanted)];
  if (one !== other) throw new Error(`${what}: ${one}, where ${other} was expected`);
}
