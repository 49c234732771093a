import type { Page } from '@playwright/test';
import { expect, expectAccessible, guide, home, picture, row, test } from './matrix.ts';

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
  // The slow service, or the gateway, whose requests wait for it.
  const first = page.getByRole('row').nth(1);
  await expect(first).toContainText(/order-api|gateway/);
  for (const worst of [first, row(page, 'order-api')]) {
    await expect(worst).toContainText('심각');
    await expect(worst).toContainText(/p95 [\d.]+ m?s, (지난주|어제)의 [\d.]+×/);
  }
  await expect(row(page, 'payment')).toBeVisible();
  await guide(page, 'services');
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
  await page.getByRole('link', { name: 'order-api', exact: true }).click();
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

test('the dependencies of a service: who calls it, whom it calls, and the way on', async ({ page }) => {
  await page.goto(`${home}/services/order-api?tab=dependencies`);
  const table = page.getByRole('table', { name: '의존 관계', exact: true });
  const groups = table.locator('tbody');
  await expect(groups.nth(0)).toContainText('gateway');
  await expect(groups.nth(1)).toContainText('shop_order');
  await expect(groups.nth(1)).toContainText('order-events');
  await expect(groups.nth(0).getByRole('rowheader')).toHaveText('호출하는 곳');
  await expect(groups.nth(1).getByRole('rowheader')).toHaveText('호출되는 곳');
  await picture(page, 'service-dependencies');
  await expectAccessible(page);
  await page.getByRole('button', { name: '어두운 테마' }).click();
  await picture(page, 'service-dependencies-dark');
  await expectAccessible(page);

  // Its calls of a database are a line of the map.
  await groups
    .nth(1)
    .getByRole('row')
    .filter({ hasText: 'shop_order' })
    .getByRole('link', { name: '호출 보기' })
    .click();
  await expect(page.getByRole('complementary', { name: 'order-api에서 shop_order로 가는 호출 정보' })).toBeVisible({
    timeout: 30_000,
  });
  await page.goBack();
  // A service leads to its own dependencies.
  await groups.nth(0).getByRole('link', { name: 'gateway', exact: true }).click();
  await expect(page).toHaveURL(/\/services\/gateway\?.*tab=dependencies/);
  await expect(groups.nth(1)).toContainText('order-api');
  await page.getByRole('link', { name: '맵에서 보기', exact: true }).click();
  await expect(page).toHaveURL(/\/map\?.*focus=service%3Agateway/);
});

test('the numbers of a service lead to the transactions they count', async ({ page }) => {
  await page.goto(`${home}/services/gateway?range=24h`);
  const counts = page.getByRole('link', { name: /^총 [\d,.]+( k)?건$/ });
  await expect(counts).toHaveCount(2);
  await counts.nth(1).click();
  await expect(page).toHaveURL(/\/transactions\?.*service=gateway/);
  await expect(page).toHaveURL(/errors=true/);
  await expect(page).toHaveURL(/range=24h/);
  await page.goto(`${home}/services/gateway?range=24h`);
  await expect(page.getByRole('main').getByRole('link', { name: '로그', exact: true })).toHaveAttribute(
    'href',
    /\/logs\?.*gateway/,
  );
  await expect(page.getByRole('main').getByRole('link', { name: '오류', exact: true })).toHaveAttribute(
    'href',
    /\/issues\?.*gateway/,
  );
});
