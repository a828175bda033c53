// What happens at the doors, as it happens; and what a broken line and a restart do to a page that is open.
import { as, connected, forget, hook, signIn, view } from '../lib/staff.mjs';
import { cutLine, kill, start, tap, told, until } from '../lib/world.mjs';

const [ANA] = told.cards;
const STRANGER = '04FFEEDDCCBB01';
const lostBar = (page) => page.locator('[role=alert][data-test=lost]');
const entries = (page) => hook(page, 'entry');

/** Entries arrive by themselves with the reason in words; filters leave some out; a pause holds them back. */
async function entriesArrive() {
  const screen = await as('vera', '#/live');
  const { page } = screen;
  await connected(page);
  await hook(page, 'entries').waitFor();
  const before = await entries(page).count();
  await tap(ANA);
  await until('the entry of Ana', async () => (await entries(page).count()) === before + 1);
  await page.locator('[data-test=entry][data-reason=granted_plan]').first().waitFor();
  await tap(STRANGER);
  const refused = page.locator('[data-test=entry][data-kind=refused]').first();
  await refused.waitFor();
  const words = await refused.innerText();
  if (words.includes('_') || words.includes(STRANGER)) throw new Error(`no plain words: ${words}`);

  await hook(page, 'filter-outcome').selectOption('granted');
  await until('granted ones alone', async () => {
    const kinds = await entries(page).evaluateAll((all) => all.map((it) => it.dataset.kind));
    return kinds.length > 0 && kinds.every((kind) => kind === 'granted');
  });
  const shown = await entries(page).count();
  await tap(STRANGER);
  await tap(ANA);
  await until('one more, and not the refused one', async () => (await entries(page).count()) === shown + 1);

  await hook(page, 'filter-outcome').selectOption('');
  await page.locator('[data-test=entry][data-kind=refused]').first().waitFor();
  await hook(page, 'pause').click();
  const held = await entries(page).count();
  await tap(ANA);
  await hook(page, 'held').waitFor();
  await screen.picture('live-paused');
  await screen.accessible('live, paused');
  if ((await entries(page).count()) !== held) throw new Error('paused, and yet another row');
  await hook(page, 'held').click();
  await until('what was held back', async () => (await entries(page).count()) === held + 1);
  await hook(page, 'filter-door').selectOption('store');
  await until('nothing at the store', async () => (await page.locator('[data-reason]:not([data-reason=""])').count()) === 0);
}

/** Each entry once, in order. */
async function onceAndInOrder(page) {
  const all = await entries(page).evaluateAll((rows) => rows.map((it) => Number(it.dataset.sequence)));
  const wanted = [...new Set(all)].sort((a, b) => b - a);
  if (JSON.stringify(all) !== JSON.stringify(wanted)) throw new Error(`doubled or out of order: ${all}`);
  return all.length;
}

/** The building's network breaks: a bar says so, and what happened meanwhile is there afterwards, once. */
async function lineBreaks() {
  const screen = await as('vera', '#/live');
  const { page } = screen;
  await connected(page);
  await hook(page, 'entries').waitFor();
  const before = await entries(page).count();
  screen.lineIsDown = true;
  await cutLine(true);
  await lostBar(page).waitFor();
  await screen.picture('line-lost');
  await screen.accessible('the line is lost');
  await tap(ANA);
  await tap(STRANGER);
  await cutLine(false);
  await connected(page);
  await lostBar(page).waitFor({ state: 'hidden' });
  await until('what was missed', async () => (await entries(page).count()) === before + 2);
  await onceAndInOrder(page);
}

/** The gateway is killed and starts again: the bar, the sign-in that a restart asks for, the same view, nothing doubled. */
async function restarted() {
  const screen = await as('maria', '#/live?door=front');
  const { page } = screen;
  await connected(page);
  await entries(page).first().waitFor();
  const before = await onceAndInOrder(page);
  screen.lineIsDown = true;
  await kill();
  forget();
  await lostBar(page).waitFor();
  await start();
  await view(page, 'signin').waitFor();
  await signIn(page, 'maria');
  await view(page, 'live').waitFor();
  await connected(page);
  await lostBar(page).waitFor({ state: 'hidden' });
  if (!page.url().includes('door=front')) throw new Error(`another view: ${page.url()}`);
  await entries(page).first().waitFor();
  await tap(ANA);
  await until('one more than before', async () => (await onceAndInOrder(page)) === before + 1);
}

export const flows = { 'entries arrive': entriesArrive, 'line breaks': lineBreaks, 'gateway restarted': restarted };
