// Doors, people, system: what a role may do, and what it is not even offered.
import { as, connected, hook } from '../lib/staff.mjs';
import { tap, told, until } from '../lib/world.mjs';

const [ANA] = told.cards;
const door = (page, id) => page.locator(`[data-test=door][data-door=${id}]`);

/** A manager opens a door once and locks it down; a viewer is offered neither. */
async function doorsObey() {
  const screen = await as('max', '#/doors');
  const viewer = await as('vera', '#/doors');
  const { page } = screen;
  await connected(page);
  await connected(viewer.page);
  await door(viewer.page, 'front').waitFor();
  for (const name of ['open', 'lockdown', 'lockdown-all']) {
    if ((await hook(viewer.page, name).count()) > 0) throw new Error(`${name} is offered to a viewer`);
  }
  await door(page, 'front').locator('[data-test=open]').click();
  await page.locator('[data-test=door][data-door=front]:not([data-state=secured])').waitFor();
  await page.locator('[data-test=door][data-door=front][data-state=secured]').waitFor();

  await door(page, 'front').locator('[data-test=lockdown]').click();
  await screen.picture('lockdown-asks');
  await screen.accessible('lockdown asks');
  await hook(page, 'cancel').click();
  if ((await tap(ANA)).light !== 'green') throw new Error('locked down without a yes');
  await door(page, 'front').locator('[data-test=lockdown]').click();
  await hook(page, 'confirm').click();
  for (const it of [page, viewer.page]) {
    await it.locator('[data-test=door][data-door=front][data-lockdown=true]').waitFor();
  }
  await screen.picture('lockdown');
  await screen.accessible('lockdown');
  if ((await tap(ANA)).light === 'green') throw new Error('it opens in lockdown');
  await door(page, 'front').locator('[data-test=lockdown]').click();
  await hook(page, 'confirm').click();
  await page.locator('[data-test=door][data-door=front][data-lockdown=false]').waitFor();
  if ((await tap(ANA)).light !== 'green') throw new Error('still locked');
}

/** Why somebody gets in, their cards, and what happened. */
async function person() {
  const screen = await as('maria', '#/people/ana');
  const { page } = screen;
  await hook(page, 'right').first().waitFor();
  const access = await hook(page, 'access').innerText();
  for (const words of ['Front door', 'Hot desk']) {
    if (!access.includes(words)) throw new Error(`no ${words} in: ${access}`);
  }
  await connected(page);
  const before = await hook(page, 'entry').count();
  await tap(ANA);
  await until('the entry in the history', async () => (await hook(page, 'entry').count()) > before);
  const cards = await hook(page, 'cards').innerText();
  if (cards.includes(ANA)) throw new Error('a whole card number');
}

/** A person is blocked and let in again. */
async function personBlocked() {
  const screen = await as('maria', '#/people/ben');
  const { page } = screen;
  const card = told.cards[1];
  await hook(page, 'block-person').click();
  await hook(page, 'note').fill('owes us a chair');
  await screen.picture('block-person');
  await screen.accessible('block a person');
  await hook(page, 'send').click();
  await hook(page, 'person-blocked').waitFor();
  if ((await tap(card)).light === 'green') throw new Error('blocked, and gets in');
  await screen.picture('person-blocked');
  await screen.accessible('a blocked person');
  await hook(page, 'unblock-person').click();
  await hook(page, 'confirm').click();
  await hook(page, 'person-blocked').waitFor({ state: 'detached' });
  if ((await tap(card)).light !== 'green') throw new Error('unblocked, and does not get in');
}

/** A manager makes an account; the password is shown once; the trail says who did it. */
async function staff() {
  const screen = await as('max', '#/system/staff');
  const { page } = screen;
  await hook(page, 'add-staff').click();
  await hook(page, 'staff-name').fill('noor@example.com');
  await screen.accessible('new account');
  await hook(page, 'send').click();
  await hook(page, 'secret').waitFor();
  await screen.accessible('a password shown once');
  await page.keyboard.press('Escape');
  await page.getByText('noor@example.com').first().waitFor();
  await hook(page, 'tab-audit').click();
  await hook(page, 'audit').getByText('staff.added').first().waitFor();
  const desk = await as('maria', '#/system');
  if ((await hook(desk.page, 'tab-staff').count()) > 0) throw new Error('accounts are offered to the desk');
}

export const flows = {
  'doors obey': doorsObey,
  'person and why': person,
  'person blocked': personBlocked,
  staff,
};
