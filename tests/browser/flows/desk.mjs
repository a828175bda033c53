// The desk: a fob in a hand to a member who can enter, and everything that may become of it afterwards.
import { enters, expect, fob, giveByKeyboard, present, ready, stage, uid } from '../lib/desk.mjs';
import { as, hook } from '../lib/staff.mjs';
import { cardsAtCloud, clear, cloudDown, give, lay, plug, pullInTheMiddle, run, runJson, swap, tap, told, until } from '../lib/world.mjs';

const [, , CARLA, DMITRI, , FINN] = told.cards;
const atCloud = (person, card) => until(`${card.slice(-2)} at the cloud`, async () => (await cardsAtCloud(person)).includes(uid(card)));

/** New fob for a member: lay it there, type a name, Enter. No click, and the door opens. */
async function newFob() {
  const screen = await as('maria', '#/desk');
  const { page } = screen;
  await ready(page);
  await screen.picture('desk-idle');
  await screen.accessible('the desk waits');
  await present(page, fob(10), 'new');
  await screen.picture('desk-new-card');
  await screen.accessible('a new card');
  await giveByKeyboard(page, 'gus aber', 'gus');
  await stage(page, 'done').waitFor();
  await screen.picture('desk-given');
  await screen.accessible('a card was given');
  const entered = await enters(fob(10));
  expect('at the door', [entered.light, entered.person], ['green', 'gus']);
  await atCloud('gus', fob(10));
  // Taken back by its way back: nobody's.
  await hook(page, 'undo').click();
  await stage(page, 'new').waitFor();
  expect('after undo', (await tap(fob(10))).light, 'red');
}

/** Somebody's fob for somebody else: who has it, asked once more, moved. */
async function moved() {
  const screen = await as('maria', '#/desk', { size: 'tablet' });
  const { page } = screen;
  await ready(page);
  await present(page, DMITRI, 'held');
  expect('whose', await hook(page, 'verdict').innerText(), 'Dmitri Volkov');
  await screen.picture('desk-held');
  await screen.accessible('a card of somebody');
  await hook(page, 'move').click();
  await giveByKeyboard(page, 'yoshi', 'hana');
  const asked = await hook(page, 'confirm-dialog').innerText();
  for (const name of ['Dmitri Volkov', 'Hana Yoshikawa']) if (!asked.includes(name)) throw new Error(`no ${name} in: ${asked}`);
  await screen.picture('desk-move-asks');
  await screen.accessible('a move asks');
  expect('before the yes', (await enters(DMITRI)).person, 'dmitri');
  await hook(page, 'confirm').click();
  await stage(page, 'done').waitFor();
  expect('at the door', (await enters(DMITRI)).person, 'hana');
}

/** A fob that a door has just refused, without a reader at the desk. */
async function lastRefused() {
  const screen = await as('maria', '#/desk', { size: 'phone' });
  const { page } = screen;
  await ready(page);
  expect('nobody has it', (await tap(fob(11))).light, 'red');
  await hook(page, 'last-refused').click();
  await stage(page, 'new').waitFor();
  await hook(page, 'refused-note').waitFor();
  await screen.picture('desk-last-refused');
  await screen.accessible('the card that was refused last');
  await giveByKeyboard(page, 'ivo', 'ivo');
  await stage(page, 'done').waitFor();
  expect('at the door', (await enters(fob(11))).person, 'ivo');
}

/** A lost fob while the cloud is away: the door refuses it; then another one in its place. */
async function lost() {
  const screen = await as('maria', '#/desk');
  const { page } = screen;
  await ready(page);
  await cloudDown(true);
  try {
    await present(page, CARLA, 'held');
    await page.locator('button[data-test=lost]').click();
    await screen.picture('desk-lost-asks');
    await screen.accessible('lost asks');
    await hook(page, 'confirm').click();
    await hook(page, 'mode').waitFor();
    expect('lost', (await tap(CARLA)).light, 'red');
    await screen.picture('desk-lost-waits');
    await swap(fob(12));
    await hook(page, 'replace').waitFor();
    await screen.picture('desk-replace');
    await screen.accessible('a card in the place of another');
    await page.keyboard.press('Enter');
    await stage(page, 'done').waitFor();
    expect('the new one', (await enters(fob(12))).person, 'carla');
    expect('the lost one', (await tap(CARLA)).light, 'red');
  } finally {
    await cloudDown(false);
  }
  await atCloud('carla', fob(12));
  const trail = (await run('audit', 'list', '--json', '--limit', '200')).split('\n').filter(Boolean).map((line) => JSON.parse(line));
  const blocked = trail.filter((it) => it.action === 'card.blocked' && it.subject.includes('Carla'));
  expect('in the trail', [...new Set(blocked.map((it) => `${it.actor} ${it.outcome}`))], ['maria done']);
}

/** A card given back opens nothing. */
async function returned() {
  const screen = await as('maria', '#/desk');
  const { page } = screen;
  await ready(page);
  await present(page, FINN, 'held');
  await hook(page, 'return').click();
  await hook(page, 'confirm').click();
  await stage(page, 'new').waitFor();
  expect('at the door', (await tap(FINN)).light, 'red');
}

/** A guest until the day ends on the building's wall. */
async function guest() {
  const screen = await as('maria', '#/desk', { size: 'tablet' });
  const { page } = screen;
  await ready(page);
  await present(page, fob(13), 'new');
  await hook(page, 'guest').click();
  await hook(page, 'guest-name').fill('Wanda the plumber');
  await hook(page, 'guest-doors').locator('input[value=front]').check();
  await screen.picture('desk-guest');
  await screen.accessible('a guest');
  await hook(page, 'send').click();
  await stage(page, 'done').waitFor();
  expect('at the door', (await tap(fob(13))).light, 'green');
  const { holders } = await runJson('cards', 'show', uid(fob(13)));
  const ends = new Date(holders[0].until).toLocaleTimeString('en-GB', { timeZone: 'Europe/Madrid' });
  expect('until', ends, '00:00:00');
}

/** What the platform refuses comes back to the desk, and a person decides. */
async function conflict() {
  const screen = await as('maria', '#/desk');
  const { page } = screen;
  await ready(page);
  await cloudDown(true);
  try {
    await present(page, fob(14), 'new');
    await giveByKeyboard(page, 'jana', 'jana');
    await stage(page, 'done').waitFor();
    await give('kai', uid(fob(14)));
  } finally {
    await cloudDown(false);
  }
  await hook(page, 'conflict').waitFor();
  await screen.picture('desk-conflict');
  await screen.accessible('a conflict');
  const words = await hook(page, 'conflict').innerText();
  for (const name of ['Jana Dvořáková', 'maria']) if (!words.includes(name)) throw new Error(`no ${name} in: ${words}`);
  // What the platform answered is there for whoever wants it, and not the first thing that is read.
  if (/https?:|\b409\b/.test(words)) throw new Error(`a line for programs: ${words}`);
  await hook(page, 'conflict').locator('summary').click();
  const line = await hook(page, 'conflict').locator('.technical').innerText();
  if (!line.includes('409')) throw new Error(`nothing of the platform's answer in: ${line}`);
  await screen.picture('desk-conflict-details');
  await hook(page, 'conflict-undo').click();
  await hook(page, 'confirm').click();
  await hook(page, 'conflict').waitFor({ state: 'hidden' });
  expect('the platform is right', (await enters(fob(14))).person, 'kai');
}

/** Two staff, one new fob, the same moment: one of them has it, the other learns who. */
async function twoStaff() {
  const screens = [await as('maria', '#/desk'), await as('omar', '#/desk')];
  for (const { page } of screens) await ready(page);
  await swap(fob(15));
  for (const { page } of screens) await stage(page, 'new').locator('[data-test=card]', { hasText: '15' }).waitFor();
  const wanted = [['fontaine', 'lea'], ['szym', 'milo']];
  await Promise.all(screens.map(({ page }, at) => giveByKeyboard(page, ...wanted[at])));
  const states = await until('one has it, one was told', async () => {
    const all = await Promise.all(screens.map(({ page }) => hook(page, 'stage').getAttribute('data-state')));
    return all.includes('done') && all.includes('held') && all;
  });
  const [first, second] = [states.indexOf('done'), states.indexOf('held')];
  await hook(screens[second].page, 'alerts').locator('.toast').first().waitFor();
  await screens[second].picture('desk-meanwhile');
  await screens[second].accessible('somebody was quicker');
  expect('at the door', (await enters(fob(15))).person, wanted[first][1]);
}

/** Two fobs at once are neither; a number that is new each time is nobody's. */
async function badCards() {
  const screen = await as('maria', '#/desk');
  const { page } = screen;
  await ready(page);
  await swap(fob(16));
  await lay(fob(17));
  await hook(page, 'alerts').getByText('two cards').waitFor();
  await screen.picture('desk-two-fobs');
  await screen.accessible('two fobs');
  await present(page, fob(18), 'new');
  await swap('08A1B2C3');
  await hook(page, 'alerts').getByText('a new number each time').waitFor();
  await screen.picture('desk-random-number');
  await screen.accessible('a number that is new each time');
  await clear();
}

/** The reader is pulled out in the middle of a card: said, and healed by itself when it is back. */
async function readerPulled() {
  const screen = await as('maria', '#/desk');
  const { page } = screen;
  await ready(page);
  await hook(page, 'desk-reader').waitFor();
  await pullInTheMiddle();
  await swap(fob(19));
  await hook(page, 'desk-reader').waitFor({ state: 'hidden' });
  await screen.picture('desk-no-reader');
  await screen.accessible('no reader');
  await plug();
  await hook(page, 'desk-reader').waitFor();
  await present(page, fob(20), 'new');
}

/** A number that is typed, and a door's reader on loan. */
async function otherReaders() {
  const screen = await as('maria', '#/desk');
  const { page } = screen;
  await ready(page);
  await hook(page, 'typed').click();
  await hook(page, 'number').fill(fob(21));
  await hook(page, 'format').selectOption('uid');
  await screen.picture('desk-typed');
  await screen.accessible('a typed number');
  await page.keyboard.press('Enter');
  await stage(page, 'new').locator('[data-test=card]', { hasText: '21' }).waitFor();
  await hook(page, 'typed').click();
  await hook(page, 'number').fill('not a number');
  await page.keyboard.press('Enter');
  await hook(page, 'typed-dialog').getByRole('alert').waitFor();
  await page.keyboard.press('Escape');

  await page.locator('details.lend summary').click();
  await hook(page, 'lend').click();
  await hook(page, 'return-reader').waitFor();
  await screen.picture('desk-lent');
  await screen.accessible('a reader on loan');
  expect('the door meanwhile', (await tap(fob(22))).light, 'amber');
  await stage(page, 'new').locator('[data-test=card]', { hasText: '22' }).waitFor();
  await hook(page, 'return-reader').click();
  await hook(page, 'return-reader').waitFor({ state: 'hidden' });
  expect('the door again', (await tap(fob(22))).light, 'red');
}

export const flows = {
  'desk: new fob': newFob,
  'desk: moved': moved,
  'desk: last refused': lastRefused,
  'desk: lost and replaced': lost,
  'desk: returned': returned,
  'desk: guest': guest,
  'desk: conflict': conflict,
  'desk: two staff': twoStaff,
  'desk: bad cards': badCards,
  'desk: reader pulled': readerPulled,
  'desk: other readers': otherReaders,
};
