// Signing in and out: the first account, a password made by somebody else, the space's own login, a session that is taken away,
// and all of it without the page's scripts.
import { PASSWORD, Screen } from '../lib/screen.mjs';
import { as, connected, enter, hook, keep, signIn, view } from '../lib/staff.mjs';
import { run, told } from '../lib/world.mjs';

/** The first account, by the code of the gateway, by keyboard alone. */
async function firstAccount() {
  const screen = await Screen.open();
  const { page } = screen;
  await page.goto('/');
  await view(page, 'first').waitFor();
  await screen.picture('first-account');
  await screen.accessible('first account');
  await page.keyboard.type(told.code.toLowerCase());
  await page.keyboard.press('Tab');
  await page.keyboard.type('boss');
  await page.keyboard.press('Tab');
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await page.locator('nav').first().waitFor();
  keep('boss', await screen.saved());
}
firstAccount.always = true;

/** Accounts that were made for others: the password is changed before anything else. */
async function accounts() {
  for (const name of ['max', 'maria', 'omar', 'vera']) {
    const screen = await Screen.open();
    await enter(screen.page, name);
    await screen.page.locator('nav').first().waitFor();
    keep(name, await screen.saved());
  }
}
accounts.always = true;

/** A wrong password says no more than that. */
async function wrongPassword() {
  const screen = await Screen.open({ size: 'phone' });
  const { page } = screen;
  await page.goto('/');
  await signIn(page, 'maria', 'not this one at all');
  await hook(page, 'sign-in-wrong').waitFor();
  await screen.picture('sign-in-wrong');
  await screen.accessible('wrong password');
}

/** Through the space's own login and back, in a browser that keeps to SameSite. */
async function ownLogin() {
  const screen = await Screen.open();
  const { page } = screen;
  await page.goto('/');
  await hook(page, 'oidc').click();
  await page.locator('[name=login]').fill('ana');
  await page.locator('[name=password]').fill('any');
  await page.getByRole('button', { name: /sign.?in/i }).click();
  await page.getByRole('button', { name: /continue/i }).click();
  await page.locator('nav').first().waitFor();
  await page.getByText('ana@example.com').first().waitFor();
  await connected(page);
}

/** Somebody's sessions are ended while they work: the sign-in comes back, and then the same view. */
async function sessionTaken() {
  const screen = await as('omar', '#/people?q=nandu');
  const { page } = screen;
  await view(page, 'people').waitFor();
  await connected(page);
  await run('staff', 'sign-out', 'omar');
  await view(page, 'signin').waitFor();
  await hook(page, 'session-ended').waitFor();
  await screen.picture('session-ended');
  await screen.accessible('session ended');
  await signIn(page, 'omar');
  await view(page, 'people').waitFor();
  if (!page.url().includes('q=nandu')) throw new Error(`another view: ${page.url()}`);
  keep('omar', await screen.saved());
}

/** Sign-out at the page, everywhere: the other screen of the same person is out as well. */
async function everywhere() {
  const one = await as('omar', '#/account');
  const two = await as('omar');
  await connected(two.page);
  await hook(one.page, 'sign-out-everywhere').click();
  await hook(one.page, 'confirm').click();
  await view(one.page, 'signin').waitFor();
  await view(two.page, 'signin').waitFor();
  keep('omar', undefined);
}

/** Without scripts there is the plain page. */
async function plain() {
  const screen = await Screen.open({ scripts: false });
  const { page } = screen;
  await page.goto('/');
  await page.getByLabel('Name').fill('boss');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('Signed in as boss').waitFor();
  await screen.picture('plain');
  const other = await as('boss');
  await other.page.goto('/plain');
  await other.page.getByText('Signed in as boss').waitFor();
  await other.accessible('plain page');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Password').waitFor();
}

export const flows = {
  'first account': firstAccount,
  accounts,
  'wrong password': wrongPassword,
  'own login': ownLogin,
  'session taken': sessionTaken,
  'signed out everywhere': everywhere,
  'without scripts': plain,
};
