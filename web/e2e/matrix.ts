import { mkdir, writeFile } from 'node:fs/promises';
import AxeBuilder from '@axe-core/playwright';
import { type Browser, test as base, expect, type Page } from '@playwright/test';

const need = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run these tests through test/e2e (make test)`);
  return value;
};

export const account = { email: need('MATRIX_EMAIL'), password: need('MATRIX_PASSWORD') };
export const project = need('MATRIX_PROJECT');
export const incident = need('MATRIX_INCIDENT');
export const home = `/projects/${project}`;
export const incidentPage = `${home}/incidents/${incident}`;
export const session = 'test-results/session.json';

/** Every test also fails on an error of a script and on anything the content policy had to stop. */
export const test = base.extend<{ clean: undefined }>({
  clean: [
    async ({ page }, use) => {
      const wrong: string[] = [];
      page.on('pageerror', (error) => wrong.push(error.message));
      page.on('console', (message) => {
        if (/Content.Security.Policy/i.test(message.text())) wrong.push(message.text());
      });
      await use(undefined);
      expect(wrong).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

export async function login(page: Page, who: { email: string; password: string }) {
  await page.getByLabel(/이메일|E-mail/).fill(who.email);
  await page.locator('input[name=password]').fill(who.password);
  await page.getByRole('button', { name: /^(로그인|Log in)$/ }).click();
}

/** The page of the organisation that the first project is in. */
export async function teamPage(page: Page): Promise<string> {
  const { orgs } = (await (await page.request.get('/api/v1/me')).json()) as { orgs: { id: number; kind: string }[] };
  return `/orgs/${orgs.find((o) => o.kind === 'team')?.id}`;
}

/** A name that no other test has used. */
export const fresh = (what: string) => `${what}-${Date.now().toString(36)}-${Math.floor(Math.random() * 1e6)}`;

/** The row of a table that holds a text. */
export const row = (page: Page, text: string) => page.getByRole('row').filter({ hasText: text });

/** Picks from one of the form's lists. */
export async function choose(page: Page, label: string, option: string) {
  await page.getByRole('dialog').getByLabel(label, { exact: true }).first().click();
  await page.getByRole('option', { name: option, exact: true }).click();
}

/** Presses the button at the end of the open dialog's form. */
export const press = (page: Page, name: string) =>
  page.getByRole('dialog').last().getByRole('button', { name, exact: true }).click();

/** The secret that is shown this one time; closes its dialog. */
export async function takeSecret(page: Page, title: string): Promise<string> {
  const shown = page.getByRole('dialog', { name: title });
  const secret = (await shown.getByRole('group', { name: title }).textContent()) ?? '';
  await shown.getByRole('button', { name: '보관했습니다' }).click();
  await expect(shown).toBeHidden();
  return secret.trim();
}

/** Asks the API as the signed-in administrator; fails on a refusal. */
export async function ask<T>(page: Page, method: string, path: string, data?: unknown, etag?: string): Promise<T> {
  const headers: Record<string, string> = etag ? { 'If-Match': etag } : {};
  const answer = await page.request.fetch(`/api/v1${path}`, { method, data, headers });
  expect(answer.ok(), `${method} ${path}: ${await answer.text()}`).toBe(true);
  const text = await answer.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/** A second reader in a browser of their own, with an account made for them. */
export async function somebodyElse(page: Page, browser: Browser, baseURL: string | undefined) {
  const email = `${fresh('someone')}@example.com`;
  const { password } = await ask<{ password: string }>(page, 'POST', '/users', { email, name: 'Someone' });
  const context = await browser.newContext({ baseURL, locale: 'ko-KR', storageState: { cookies: [], origins: [] } });
  return { email, password, page: await context.newPage(), close: () => context.close() };
}

interface Detail {
  evidence: { id: string; kind: string; trace_id?: string; span_id?: string }[];
  report: Record<'transaction' | 'analysis' | 'actions', { evidence: string[] }[]>;
}

/** A statement that the report cites, and the span it ran in. */
export async function citedSpan(page: Page): Promise<{ trace: string; span: string; fact: string }> {
  const { evidence, report } = (await (await page.request.get(`/api/v1${incidentPage}`)).json()) as Detail;
  const cited = [...report.transaction, ...report.analysis, ...report.actions].flatMap((point) => point.evidence);
  const found = evidence.find((f) => f.kind === 'statement' && f.span_id && cited.includes(f.id));
  if (!found) throw new Error('the report cites no statement');
  return { trace: found.trace_id ?? '', span: found.span_id ?? '', fact: found.id };
}

/** The page of the call that wrote the incident's report. */
export async function callPage(page: Page): Promise<string> {
  const { report } = (await (await page.request.get(`/api/v1${incidentPage}`)).json()) as {
    report: { call_id: string };
  };
  return `${home}/ai-calls/${report.call_id}`;
}

/** No barrier that axe calls serious or critical (contrast AA, names, roles, order). */
export async function expectAccessible(page: Page) {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'])
    .analyze();
  const serious = violations
    .filter((v) => v.impact === 'serious' || v.impact === 'critical')
    .map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target.join(' ')} ${n.any[0]?.message ?? ''}`).join(' | ')}`);
  expect(serious).toEqual([]);
}

/** A picture for people to look at: web/test-results/<name>.png. */
export const picture = (page: Page, name: string) => page.screenshot({ path: `test-results/${name}.png` });

/**
 * A picture for the user's guide, in both languages: web/test-results/guide/<language>/<name>.webp.
 * The page is left as it was: the language is switched for the second picture only, and nothing loses its focus.
 */
export async function guide(page: Page, name: string) {
  const chromium = await page.context().newCDPSession(page);
  for (const language of ['ko', 'en']) {
    await expect(page.locator('html')).toHaveAttribute('lang', language);
    await page.evaluate(() => document.fonts.ready);
    const { data } = await chromium.send('Page.captureScreenshot', { format: 'webp', quality: 82 });
    await mkdir(`test-results/guide/${language}`, { recursive: true });
    await writeFile(`test-results/guide/${language}/${name}.webp`, Buffer.from(data, 'base64'));
    const other = page.getByRole('button', { name: /^(.* 전환|Switch to .*)$/ });
    await other.evaluate((button: HTMLElement) => button.click());
  }
  await expect(page.locator('html')).toHaveAttribute('lang', 'ko');
  await chromium.detach();
}
