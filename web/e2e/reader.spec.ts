import { citedSpan, expect, home, incidentPage, picture, test } from './matrix.ts';

test('the language changes at once and is remembered', async ({ page }) => {
  await page.goto(`${home}/incidents`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('인시던트');
  await page.getByRole('button', { name: 'English로 전환' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Incidents');
  await page.reload();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Incidents');
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  await page.goto(incidentPage);
  await expect(page.getByRole('tab', { name: /Evidence/ })).toBeVisible();
  await picture(page, 'incident-en');
});

test('the theme changes at once and is there before the first paint', async ({ page }) => {
  await page.goto(incidentPage);
  await page.getByRole('button', { name: '어두운 테마' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', 'dark');
  // With the scripts of the page held back, only boot.js can have set it.
  await page.route('**/assets/*.js', (route) => route.abort());
  await page.reload({ waitUntil: 'commit' });
  await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', 'dark');
  await page.unroute('**/assets/*.js');
  await page.reload();
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await picture(page, 'incident-dark');
});

test('everything on the way can be reached by keyboard', async ({ page }) => {
  const { trace, span } = await citedSpan(page);
  await page.goto(`${home}/incidents?state=all`);
  const rows = page.locator('.row-link');
  await rows.first().focus();
  await page.keyboard.press('End');
  await expect(rows.last()).toBeFocused();
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/incidents\/\d+/);

  await page.keyboard.press('/');
  await page.getByRole('combobox', { name: /트레이스 ID/ }).waitFor();
  await page.keyboard.type(trace);
  await expect(page.getByRole('option', { selected: true })).toContainText(trace);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(new RegExp(`/traces/${trace}`));

  const tree = page.getByRole('treegrid');
  await tree.focus();
  await page.keyboard.press('ArrowDown');
  const current = page.locator('[role=row][aria-selected=true]');
  await expect(current).toHaveAttribute('aria-rowindex', '1');
  const total = Number(await tree.getAttribute('aria-rowcount'));
  await page.keyboard.press('ArrowLeft');
  await expect(current).toHaveAttribute('aria-expanded', 'false');
  expect(Number(await tree.getAttribute('aria-rowcount'))).toBeLessThan(total);
  await page.keyboard.press('ArrowRight');
  await expect(tree).toHaveAttribute('aria-rowcount', String(total));
  await page.keyboard.press('ArrowDown');
  await expect(current).toHaveAttribute('aria-rowindex', '2');
  await page.keyboard.press('Escape');
  await expect(page.getByTestId('span-detail')).toBeHidden();

  // A link to a span opens what hides it, wherever it is.
  await page.goto(`${home}/traces/${trace}?span=${span}`);
  await expect(page.locator(`#span-${span}`)).toHaveAttribute('aria-selected', 'true');

  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: /트레이스 ID/ }).waitFor();
  await page.keyboard.type('규칙');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('규칙');
});

test('the time range lives in the address and follows the reader', async ({ page }) => {
  await page.goto(`${home}/transactions`);
  await page.getByRole('button', { name: /^시간 범위/ }).click();
  await page.getByRole('button', { name: '최근 6시간' }).click();
  await expect(page).toHaveURL(/range=6h/);
  await expect(page.locator('.row-link').first()).toBeVisible();
  await picture(page, 'transactions');
  await page.getByRole('link', { name: '인시던트' }).first().click();
  await expect(page).toHaveURL(/\/incidents\?.*range=6h/);
});
