import type { Page } from '@playwright/test';
import { expect, expectAccessible, home, picture, row, test } from './matrix.ts';

/** Drags over the middle of a chart. */
async function drag(page: Page, title: string) {
  const plot = page.getByRole('slider', { name: new RegExp(`^${title}`) });
  const box = await plot.boundingBox();
  if (!box) throw new Error(`no chart ${title}`);
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * 0.4, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.7, y, { steps: 5 });
  await page.mouse.up();
}

test('the worst service comes first and says why', async ({ page }) => {
  // Within a quarter of an hour the fault outweighs the shop's quiet past.
  await page.goto(`${home}/services?range=15m`);
  const first = page.getByRole('row').nth(1);
  await expect(first).toContainText('order-api');
  await expect(first).toContainText('심각');
  await expect(first).toContainText(/p95 [\d.]+ m?s, (지난주|어제)의 [\d.]+×/);
  await expect(row(page, 'payment')).toBeVisible();
  await picture(page, 'services');
  await expectAccessible(page);
  await page.getByRole('button', { name: '어두운 테마' }).click();
  await picture(page, 'services-dark');
  await expectAccessible(page);
});

test('services are filtered and ordered in the address', async ({ page }) => {
  await page.goto(`${home}/services`);
  await page.getByRole('button', { name: '서비스', exact: true }).click();
  await expect(page).toHaveURL(/sort=name/);
  await expect(page.getByRole('columnheader', { name: '서비스' })).toHaveAttribute('aria-sort', 'ascending');
  await page.getByLabel('이름으로 거르기').fill('order');
  await expect(page).toHaveURL(/q=order/);
  await expect(page.getByRole('row')).toHaveCount(2);
  await page.getByLabel('이름으로 거르기').fill('no such service');
  await expect(page.getByRole('heading', { name: '조건에 맞는 서비스가 없습니다' })).toBeVisible();
});

test('a service shows its course, and dragging over a chart narrows the range', async ({ page }) => {
  await page.goto(`${home}/services`);
  await page.getByRole('link', { name: 'order-api' }).click();
  await expect(page.getByRole('heading', { name: 'order-api' })).toBeVisible();
  await expect(page.getByRole('slider')).toHaveCount(3);
  await expect(page.locator('.table .row-link').first()).toBeVisible();
  await picture(page, 'service');
  await expectAccessible(page);

  await page.getByRole('slider', { name: /^응답시간/ }).focus();
  await page.keyboard.press('Home');
  await expect(page.getByRole('slider', { name: /^처리량/ })).toHaveAttribute('aria-valuetext', /처리량 [\d.]+/);

  await drag(page, '응답시간');
  await expect(page).toHaveURL(/from=.*&to=/);
  await expect(page.getByRole('slider')).toHaveCount(3);
  await picture(page, 'service-zoomed');
  await page.getByRole('slider', { name: /^처리량/ }).dblclick();
  await expect(page).not.toHaveURL(/from=/);

  await page.getByRole('button', { name: '어두운 테마' }).click();
  await picture(page, 'service-dark');
  await expectAccessible(page);
});

test('the parts of a service: endpoints, instances, versions', async ({ page }) => {
  await page.goto(`${home}/services/order-api`);
  await page.getByRole('tab', { name: '인스턴스' }).click();
  await expect(page).toHaveURL(/tab=instances/);
  await expect(page.locator('.panel tbody tr').first()).toContainText('order-api');
  await page.getByRole('tab', { name: '버전' }).click();
  await expect(page.getByRole('columnheader', { name: '최초 확인' })).toBeVisible();
  await expectAccessible(page);
  await picture(page, 'service-versions');
  await page.getByRole('tab', { name: '엔드포인트' }).click();
  await page.getByRole('link', { name: 'GET /v1/api/orders/history', exact: true }).click();
  await expect(page).toHaveURL(/transactions\?.*service=order-api/);
  await expect(page.locator('.row-link').first()).toHaveText('GET /v1/api/orders/history');
});

test('a service that is not there says so', async ({ page }) => {
  await page.goto(`${home}/services/no-such-service`);
  await expect(page.getByRole('alert')).toContainText('이 주소에는 아무것도 없습니다');
});

test('g and a letter go to a section, but not while one types', async ({ page }) => {
  await page.goto(`${home}/incidents`);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await page.keyboard.press('g');
  await page.keyboard.press('s');
  await expect(page).toHaveURL(/\/services$/);
  await page.keyboard.press('g');
  await page.keyboard.press('q');
  await expect(page).toHaveURL(/\/sql$/);
  await page.getByLabel('SQL 문 내용').focus();
  await page.keyboard.press('g');
  await page.keyboard.press('t');
  await expect(page).toHaveURL(/\/sql\?q=gt$/);
});
