// Many cards: sixty people, sixty presentations, not one click; and cards from a sheet.
import { enters, expect, fob, uid } from '../lib/desk.mjs';
import { as, connected, hook } from '../lib/staff.mjs';
import { cardsAtCloud, figure, swap, until } from '../lib/world.mjs';

const PEOPLE = 60;
const card = (n) => `04D10000${String(n).padStart(4, '0')}80`;

async function sixty() {
  const screen = await as('maria', '#/desk/queue');
  const { page } = screen;
  await connected(page);
  await hook(page, 'queue-company').fill('Bulk day');
  await screen.picture('queue-begin');
  await screen.accessible('a queue begins');
  await hook(page, 'queue-begin').click();
  await hook(page, 'queue-next').waitFor();
  await page.evaluate(() => {
    window.touched = 0;
    for (const name of ['click', 'keydown', 'input']) addEventListener(name, () => window.touched++, true);
  });
  const done = async () => Number(/\d+/.exec(await hook(page, 'queue-progress').innerText())?.[0] ?? -1);
  const began = performance.now();
  const names = [];
  for (let n = 0; n < PEOPLE; n++) {
    names.push(await hook(page, 'queue-next').innerText());
    await swap(card(n));
    await until(`${n + 1} cards`, async () => (await done()) === n + 1);
    if (n === 20) {
      await screen.picture('queue-running');
      await screen.accessible('a queue runs');
    }
  }
  figure('page/queue_60', (performance.now() - began) / 1000, 's');
  expect('clicks and keys', await page.evaluate(() => window.touched), 0);
  expect('people', new Set(names).size, PEOPLE);
  await hook(page, 'queue-over').waitFor();
  await screen.picture('queue-over');
  await screen.accessible('a queue is over');

  // The last one was the wrong fob: back, and the right one.
  await hook(page, 'queue-undo').click();
  await until('one fewer', async () => (await done()) === PEOPLE - 1);
  expect('the last one again', await hook(page, 'queue-next').innerText(), names.at(-1));
  expect('taken back', (await enters(card(PEOPLE - 1))).light, 'red');
  await swap(fob(30));
  await until('all of them again', async () => (await done()) === PEOPLE);
  for (const [n, it] of [[0, card(0)], [31, card(31)], [59, fob(30)]]) {
    expect('at the door', (await enters(it)).person, `bulk${Number(names[n].match(/\d+/)[0])}`);
  }
  await until('the cloud', async () => (await cardsAtCloud(`bulk${Number(names[59].match(/\d+/)[0])}`)).includes(uid(fob(30))));
  await hook(page, 'queue-end').click();
  await hook(page, 'queue-begin').waitFor();
}

async function sheet() {
  const screen = await as('maria', '#/desk/import');
  const { page } = screen;
  await connected(page);
  await hook(page, 'import-text').fill(`email,card\nnoa@example.com,${uid(fob(31))}\nnobody@example.com,${uid(fob(32))}\n`);
  await hook(page, 'import-look').click();
  await hook(page, 'import-do').waitFor();
  await screen.picture('import-looked-at');
  await screen.accessible('a sheet is looked at');
  expect('before it is done', (await enters(fob(31))).light, 'red');
  await hook(page, 'import-do').click();
  await hook(page, 'import-do').waitFor({ state: 'detached' });
  expect('at the door', (await enters(fob(31))).person, 'noa');
}

export const flows = { 'many: sixty fobs': sixty, 'many: a sheet': sheet };
