// By keyboard alone: Tab walks through every view, reaches each control once, shows where it is, and is never lost or held.
import { expect, ready } from '../lib/desk.mjs';
import { as, connected, hook } from '../lib/staff.mjs';
import { VIEWS } from '../lib/views.mjs';
import { clear } from '../lib/world.mjs';

/** More stops than any view has: whoever is still walking then is held. */
const MOST = 400;

/** In the page: what Tab must reach, what it is on now, and whether that can be seen. */
const TOOLS = () => {
  const NAMES = 'a[href], button, input, select, textarea, summary, [tabindex]';
  const numbers = new Map();
  const shown = (el) => el.checkVisibility({ visibilityProperty: true }) && el.getClientRects().length > 0;
  const name = (el) => {
    if (!numbers.has(el)) numbers.set(el, numbers.size);
    // Words may change meanwhile: the number says which it is.
    const words = (el.ariaLabel || el.textContent || el.name || el.type || '').trim().slice(0, 30);
    return { number: numbers.get(el), words: `${el.localName}${el.dataset.test ? `[${el.dataset.test}]` : ` ${words}`}` };
  };
  const group = (el) => (el.type === 'radio' ? [...document.getElementsByName(el.name)].find((it) => it.checked) ?? el : el);
  window.tabStops = () => [
    ...new Set([...document.querySelectorAll(NAMES)].filter((el) => el.tabIndex >= 0 && !el.disabled && shown(el)).map(group)),
  ].map(name);
  window.focusNow = () => {
    const el = document.activeElement;
    if (!el || el === document.body || el === document.documentElement) return null;
    const flaws = [];
    // A field that is drawn by its label is seen there.
    const drawn = el.matches('.segments input') ? el.nextElementSibling : el;
    const box = drawn.getBoundingClientRect();
    if (box.bottom <= 0 || box.right <= 0 || box.top >= innerHeight || box.left >= innerWidth) flaws.push('out of sight');
    const style = getComputedStyle(drawn);
    if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2) flaws.push('without a ring');
    // WCAG 2.2, 2.4.11: it is not wholly behind something else.
    const spots = [[0.5, 0.5], [0.05, 0.1], [0.95, 0.9], [0.05, 0.9], [0.95, 0.1]];
    const top = ([x, y]) => document.elementFromPoint(box.left + box.width * x, box.top + box.height * y);
    const seen = spots.map(top).some((it) => it && (drawn.contains(it) || it.contains(drawn) || el.contains(it)));
    if (!seen) flaws.push('hidden behind something');
    return { ...name(el), flaws };
  };
};

/** Walks once around. */
async function walk(screen, what) {
  const { page } = screen;
  await page.evaluate(TOOLS);
  await page.evaluate(() => {
    document.activeElement?.blur();
    scrollTo(0, 0);
    // From the very beginning, wherever the view has put the focus.
    const start = document.createElement('span');
    start.tabIndex = -1;
    document.body.prepend(start);
    start.focus();
    start.remove();
  });
  const wanted = await page.evaluate(() => tabStops());
  const reached = new Set();
  let steps = 0;
  for (; steps < MOST; steps++) {
    await page.keyboard.press('Tab');
    const now = await page.evaluate(() => focusNow());
    // Out of the page, to the browser's own controls; or, where there are none, to its beginning again.
    if (!now || reached.has(now.number)) break;
    reached.add(now.number);
    for (const flaw of now.flaws) screen.wrong.push(`${what}: ${now.words} has the focus, ${flaw}`);
  }
  if (steps === MOST) screen.wrong.push(`${what}: Tab does not come to an end`);
  const missed = wanted.filter((it) => !reached.has(it.number));
  if (missed.length > 0) screen.wrong.push(`${what}: Tab does not reach ${missed.map((it) => it.words).join(' | ')}`);
  return reached.size;
}

async function settled(page) {
  await page.waitForFunction(() => document.querySelector('main h1') && !document.querySelector('main [aria-busy=true]'));
}

const everyView = (size, language) => async () => {
  const screen = await as('boss', '', { size, language });
  const { page } = screen;
  await connected(page);
  for (const [name, at] of Object.entries(VIEWS)) {
    await page.goto(`/${at}`);
    await settled(page);
    const stops = await walk(screen, `${name}, ${size}`);
    if (stops < 6) screen.wrong.push(`${name}, ${size}: only ${stops} stops, the way around alone has more`);
  }
};

/** A dialog keeps the focus while it is open, and gives it back to where it was opened from. */
async function dialogs() {
  const screen = await as('maria', '#/desk');
  const { page } = screen;
  await ready(page);
  await page.evaluate(TOOLS);
  await hook(page, 'typed').focus();
  await page.keyboard.press('Enter');
  await hook(page, 'typed-dialog').waitFor();
  const within = () => page.evaluate(() => document.activeElement === document.body || Boolean(document.activeElement.closest('dialog')));
  for (let step = 0; step < 12; step++) {
    await page.keyboard.press('Tab');
    if (!(await within())) throw new Error('the focus left an open dialog');
  }
  await page.keyboard.press('Escape');
  await hook(page, 'typed-dialog').waitFor({ state: 'detached' });
  expect('back where it was', await page.evaluate(() => document.activeElement.dataset.test), 'typed');
}

/** Whoever asks for less motion gets none; everybody else sees the reader wait. */
async function lessMotion() {
  await clear();
  const screen = await as('maria', '#/desk');
  const { page } = screen;
  await ready(page);
  // A card of the flow before may still be shown; the reader is only seen to wait without one.
  await hook(page, 'next').click({ timeout: 3000 }).catch(() => {});
  const moving = () => page.evaluate(() => document.getAnimations().filter((it) => it.playState === 'running').length);
  expect('with less motion', await moving(), 0);
  await page.emulateMedia({ reducedMotion: 'no-preference' });
  await page.waitForFunction(() => document.getAnimations().length > 0);
}

export const flows = {
  'keyboard: every view on a desktop': everyView('desktop', 'en'),
  'keyboard: every view on a telephone, German': everyView('phone', 'de'),
  'keyboard: dialogs': dialogs,
  'less motion': lessMotion,
};
