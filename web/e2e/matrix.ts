import AxeBuilder from '@axe-core/playwright';
import { test as base, expect, type Page } from '@playwright/test';

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
