import { expect, expectAccessible, guide, home, picture, test } from './matrix.ts';

test('the statement that costs most time comes first', async ({ page }) => {
  await page.goto(`${home}/sql`);
  const first = page.getByRole('row').nth(1);
  await expect(first).toContainText('order-api');
  await expect(first).toContainText('%');
  await guide(page, 'sql');
  await expectAccessible(page);
  await page.getByRole('button', { name: '어두운 테마' }).click();
  await picture(page, 'sql-dark');
  await expectAccessible(page);
});

test('statements are found by their words and their service', async ({ page }) => {
  await page.goto(`${home}/sql?service=payment`);
  await expect(page.locator('.row-link').first()).toBeVisible();
  await page.getByLabel('SQL 문 내용').fill('no such words');
  await expect(page.getByRole('heading', { name: '조건에 맞는 SQL 문이 없습니다' })).toBeVisible();
});

test('a statement leads to its endpoints and to single runs', async ({ page }) => {
  await page.goto(`${home}/sql`);
  await page.locator('.row-link').first().click();
  await expect(page.getByRole('group', { name: '정규화된 SQL 문' })).toContainText('?');
  await expect(page.getByRole('slider')).toHaveCount(3);
  await expect(page.getByRole('table', { name: '실행하는 엔드포인트' })).toContainText('GET /v1/api/orders/history');
  await picture(page, 'statement');
  await page.screenshot({ path: 'test-results/statement-full.png', fullPage: true });
  await expectAccessible(page);
  await page.getByRole('button', { name: '어두운 테마' }).click();
  await picture(page, 'statement-dark');
  await expectAccessible(page);
  await page.getByRole('table', { name: '가장 느린 실행' }).getByRole('link').first().click();
  await expect(page).toHaveURL(/\/traces\/[0-9a-f]{32}\?.*span=[0-9a-f]{16}/);
});
