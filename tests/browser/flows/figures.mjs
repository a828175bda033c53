// Figures: printed, not judged, except the weight, which no busy machine changes: it is a flow like others. `scripts/bench page` plays
// these alone.
import { fob, giveByKeyboard, present, ready, stage } from '../lib/desk.mjs';
import { as, hook, view } from '../lib/staff.mjs';
import { figure, swap, tap, told, until } from '../lib/world.mjs';

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

function tell(name, samples) {
  const sorted = [...samples].sort((a, b) => a - b);
  figure(`${name}/p50`, at(sorted, 0.5), 'ms');
  figure(`${name}/p95`, at(sorted, 0.95), 'ms');
}

/** From the card on the reader to the frame that shows whose it is; the reader's own time beside it. */
async function presented() {
  const screen = await as('maria', '#/desk');
  const { page } = screen;
  await ready(page);
  await page.evaluate(() => {
    window.frames = new Map();
    const stage = document.querySelector('[data-test=stage]');
    new MutationObserver(() => {
      const n = stage.dataset.n;
      if (n && !window.frames.has(n)) {
        window.frames.set(n, 0);
        requestAnimationFrame(() => window.frames.set(n, Date.now()));
      }
    }).observe(stage, { attributes: true, attributeFilter: ['data-n'] });
  });
  const laid = [];
  for (let round = 0; round < 40; round++) {
    const before = await page.evaluate(() => window.frames.size);
    const when = await swap(round % 2 ? told.cards[0] : fob(50 + (round % 40)));
    const n = await until('the card on the screen', () =>
      page.evaluate((before) => {
        const [n, at] = [...window.frames].at(-1) ?? [];
        return window.frames.size > before && at > 0 && n;
      }, before));
    laid.push([n, when]);
    // A person takes longer than that, and no two cards come at the same point of the reader's round.
    await new Promise((resolve) => setTimeout(resolve, 30 + ((round * 37) % 90)));
  }
  const frames = new Map(await page.evaluate(() => [...window.frames]));
  const { presentations } = await page.evaluate(async () => (await fetch('/api/v1/cards/presented')).json());
  const heard = new Map(presentations.map((it) => [String(it.n), it.at]));
  tell('page/presented', laid.map(([n, when]) => frames.get(n) - when));
  const own = laid.filter(([n]) => heard.has(n));
  if (own.length > 0) tell('page/presented/reader', own.map(([n, when]) => heard.get(n) - when));
}

/** From Enter on the person to a green light at the door's reader. */
async function assignToOpen() {
  const screen = await as('maria', '#/desk');
  const { page } = screen;
  await ready(page);
  await page.evaluate(() => addEventListener('keydown', (event) => event.key === 'Enter' && (window.entered = Date.now()), true));
  const took = [];
  for (let round = 0; round < 12; round++) {
    await present(page, fob(70 + round), 'new');
    await giveByKeyboard(page, 'adeyemi', 'olu');
    const { at } = await until('green', async () => {
      const answer = await tap(fob(70 + round));
      return answer.light === 'green' && answer;
    });
    await stage(page, 'done').waitFor();
    took.push(at - (await page.evaluate(() => window.entered)));
  }
  tell('page/assign_to_open', took);
}

/** Ten thousand people: from the key to the frame with the first result, as the browser itself measures it. */
async function search() {
  const screen = await as('maria', '#/people');
  const { page } = screen;
  await hook(page, 'person').first().waitFor();
  const words = ['nandu 17', 'garcia', 'person.4711', 'volkov', 'zoe muller', 'weiss', 'smith 98', 'ömer', 'newcomer', 'carla'];
  const took = [];
  for (const word of words) {
    took.push(await page.evaluate(async (word) => {
      const input = document.querySelector('[data-test=people-search]');
      const first = () => document.querySelector('[data-test=person]')?.dataset.person;
      const before = first();
      input.focus();
      const begun = performance.now();
      input.value = word;
      input.dispatchEvent(new InputEvent('input', { bubbles: true }));
      while (first() === before || first() === undefined) {
        if (performance.now() - begun > 10_000) throw new Error(`no result for ${word}`);
        await new Promise(requestAnimationFrame);
      }
      return performance.now() - begun;
    }, word));
  }
  tell('page/search_10000/first_result', took);
  await page.locator('[data-test=person][data-person=carla]').click();
  await hook(page, 'access').waitFor();
  await view(page, 'people').waitFor();
}

/** The first load in a browser that was never here, as it comes over the line. */
async function weight() {
  const screen = await as('boss', '#/people');
  const { page } = screen;
  const devtools = await screen.context.newCDPSession(page);
  await devtools.send('Network.enable');
  await devtools.send('Network.setCacheDisabled', { cacheDisabled: true });
  const asked = new Map();
  const sizes = new Map();
  devtools.on('Network.requestWillBeSent', ({ requestId, request }) => asked.set(requestId, new URL(request.url).pathname));
  devtools.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => sizes.set(requestId, encodedDataLength));
  await page.reload();
  await page.locator('[data-test=person]').first().waitFor();
  const own = [...sizes].filter(([request]) => !asked.get(request)?.startsWith('/api/'));
  const kilobytes = own.reduce((sum, [, size]) => sum + size, 0) / 1000;
  figure('page/weight', kilobytes, 'kB');
  figure('page/weight/requests', own.length, 'requests');
  if (own.length < 3) throw new Error(`no page at all: ${[...asked.values()]}`);
  if (kilobytes >= 150) throw new Error(`${kilobytes} kB, where 150 are the limit`);
}

export const flows = {
  'figures: card to name': presented,
  'figures: assign to open': assignToOpen,
  'figures: search of ten thousand': search,
  'weight of the first load': weight,
};
