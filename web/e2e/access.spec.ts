import type { Page } from '@playwright/test';
import {
  callPage,
  citedSpan,
  expect,
  expectAccessible,
  home,
  incidentPage,
  picture,
  teamPage,
  test,
} from './matrix.ts';

const pages: [string, string | ((page: Page) => Promise<string>)][] = [
  ['incidents', `${home}/incidents?state=all`],
  ['open', `${home}/incidents`],
  ['incident', incidentPage],
  ['timeline', `${incidentPage}?tab=timeline`],
  ['masking', `${incidentPage}?tab=masking`],
  ['deliveries', `${incidentPage}?tab=deliveries`],
  ['transactions', `${home}/transactions?range=24h`],
  ['rules', `${home}/rules`],
  ['channels', `${home}/channels`],
  ['keys', `${home}/settings`],
  ['members', `${home}/settings?tab=members`],
  ['project', `${home}/settings?tab=project`],
  ['orgs', '/orgs'],
  ['org', teamPage],
  ['users', '/users'],
  ['me', '/me'],
  ['sign-in', '/sign-in'],
  ['audit', '/audit'],
  ['silences', `${home}/silences`],
  ['roles', '/roles'],
  ['role', '/roles/agent-alert-analyzer'],
  ['role-labels', '/roles/agent-alert-analyzer?tab=labels'],
  ['role-history', '/roles/agent-alert-analyzer?tab=history'],
  ['models', '/models'],
  ['prices', '/prices'],
  ['calls', `${home}/ai-calls`],
  ['role-try', '/roles/agent-alert-analyzer?tab=try'],
  ['quality', `${home}/quality?range=24h`],
  ['playground', `${home}/playground`],
  ['playground-new', `${home}/playground/new?role=agent-alert-analyzer`],
];

for (const scheme of ['light', 'dark'] as const) {
  test.describe(`in the ${scheme} theme`, () => {
    test.use({ colorScheme: scheme });

    for (const [name, path] of pages) {
      test(`the page ${name} has no serious barrier`, async ({ page }) => {
        await page.goto(typeof path === 'string' ? path : await path(page));
        await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
        await expect(page.locator('[aria-busy=true]')).toHaveCount(0);
        await expectAccessible(page);
        await picture(page, `${name}-${scheme}`);
      });
    }

    test('a trace has no serious barrier, as a waterfall and as a profile', async ({ page }) => {
      const { trace, span } = await citedSpan(page);
      await page.goto(`${home}/traces/${trace}?span=${span}`);
      await expect(page.getByTestId('span-detail')).toBeVisible();
      await expectAccessible(page);
      await page.goto(`${home}/traces/${trace}?span=${span}&view=profile`);
      await expect(page.locator('tr[aria-selected=true]')).toBeVisible();
      await expectAccessible(page);
      await picture(page, `profile-${scheme}`);
    });

    test('a call has no serious barrier', async ({ page }) => {
      await page.goto(await callPage(page));
      await expect(page.getByRole('heading', { name: '시도' })).toBeVisible();
      await page.getByText('받아들이지 않은 답변').first().click();
      await expectAccessible(page);
      await picture(page, `call-${scheme}`);
    });

    test('the login has no serious barrier', async ({ browser, baseURL }) => {
      const context = await browser.newContext({
        baseURL,
        colorScheme: scheme,
        storageState: { cookies: [], origins: [] },
      });
      const page = await context.newPage();
      await page.goto('/login');
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      await expectAccessible(page);
      await context.close();
    });

    test('dialogs have no serious barrier', async ({ page }) => {
      await page.goto(`${home}/rules`);
      await page.getByRole('button', { name: '새 규칙' }).click();
      await expect(page.getByRole('dialog')).toBeVisible();
      await expectAccessible(page);
      await page.goto('/roles');
      await page.getByRole('button', { name: '새 롤' }).click();
      await expect(page.getByRole('dialog')).toBeVisible();
      await expectAccessible(page);
      await page.goto('/prices');
      await page.getByRole('button', { name: '새 가격' }).click();
      await expect(page.getByRole('dialog')).toBeVisible();
      await expectAccessible(page);
      await page.keyboard.press('Escape');
      await page.keyboard.press('/');
      await expect(page.getByRole('dialog')).toBeVisible();
      await expectAccessible(page);
    });
  });
}
