// Signing in without a script: what stays when everything else of the page cannot run.
import { PASSWORD, Screen } from '../lib/screen.mjs';
import { told } from '../lib/world.mjs';

/** The first account, by the code of the gateway; then signed out and in again, by keyboard alone. */
async function firstAccount(shared) {
  const screen = await Screen.open({ scripts: false });
  const { page } = screen;
  await page.goto('/');
  await page.getByLabel('Code').fill(told.code);
  await page.getByLabel('Name or e-mail').fill('boss');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Make the first account' }).click();
  await page.getByText('Signed in as boss').waitFor();
  await screen.picture('plain-home');
  shared.boss = await screen.saved();
}
firstAccount.always = true;

/** Through the space's own login and back. */
async function ownLogin() {
  const screen = await Screen.open();
  const { page } = screen;
  await page.goto('/signin');
  await page.getByRole('link', { name: /own login/ }).click();
  await page.locator('[name=login]').fill('ana');
  await page.locator('[name=password]').fill('any');
  await page.getByRole('button', { name: /sign.?in/i }).click();
  await page.getByRole('button', { name: /continue/i }).click();
  await page.getByText('oidc:ana@example.com').first().waitFor();
}

export const flows = { 'first account': firstAccount, 'own login': ownLogin };
