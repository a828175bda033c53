// Who sits at the screens: an account for each role, made by the program, with the first password changed at the page.
import { PASSWORD, Screen } from './screen.mjs';
import { runJson } from './world.mjs';

const ROLES = { boss: 'installer', max: 'manager', maria: 'desk', omar: 'desk', vera: 'viewer' };
/** What each one's browser keeps. */
let sessions = {};

/** Elements are found by `data-test`, which src/web/assets/README.md lists. */
export const hook = (page, name) => page.locator(`[data-test="${name}"]`);
export const view = (page, name) => page.locator(`main[data-view="${name}"]`);

export function keep(name, state) {
  sessions[name] = state;
}

/** A restart of the gateway ended all sessions. */
export function forget() {
  sessions = {};
}

/** Signs in as the page asks for it, wherever it stands. */
export async function signIn(page, name, password = PASSWORD) {
  await hook(page, 'name').fill(name);
  await hook(page, 'password').fill(password);
  await hook(page, 'sign-in').click();
}

/** Makes an account, and takes it into use at the page. */
export async function enter(page, name) {
  const { secret } = await runJson('staff', 'add', name, '--role', ROLES[name]);
  await page.goto('/');
  await signIn(page, name, secret);
  await view(page, 'must-change').waitFor();
  await hook(page, 'old-password').fill(secret);
  await hook(page, 'new-password').fill(PASSWORD);
  await hook(page, 'change-password').click();
}

/** A screen with somebody signed in, at a view (`#/live`). */
export async function as(name, at = '', options = {}) {
  const screen = await Screen.open({ ...options, state: sessions[name] });
  const { page } = screen;
  await page.goto(`/${at}`);
  if (!sessions[name]) {
    await signIn(page, name);
    await page.locator('nav').first().waitFor();
    sessions[name] = await screen.saved();
  }
  await page.locator('nav').first().waitFor();
  return screen;
}

/** Waits until this page is told of what happens. */
export const connected = (page) => page.locator('[data-test="connection"][data-state="open"]').waitFor();
