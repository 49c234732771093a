import { expect, expectAccessible, home, picture, test } from './matrix.ts';

const MAP = /\/api\/v1\/projects\/\d+\/map\?/;
const card = (name: RegExp) => ({ name });

test('the map shows who calls whom, in light and dark', async ({ page }) => {
  await page.goto(`${home}/map`);
  for (const name of [
    /^사용자/,
    /^서비스, order-api/,
    /^데이터베이스, shop_order/,
    /^캐시, redis/,
    /^큐 또는 토픽, order-events/,
  ]) {
    await expect(page.getByRole('button', card(name)).first()).toBeVisible();
  }
  // What answers is no external host.
  await expect(page.getByRole('button', card(/^외부 호스트, .*svc\.cluster/))).toHaveCount(0);
  await picture(page, 'map');
  await expectAccessible(page);
  await page.getByRole('button', { name: '어두운 테마' }).click();
  await picture(page, 'map-dark');
  await expectAccessible(page);
});

test('a node tells its callers and callees, and leads on', async ({ page }) => {
  await page.goto(`${home}/map`);
  await page.getByRole('button', card(/^서비스, order-api/)).click();
  const side = page.getByRole('complementary', { name: 'order-api 정보' });
  await expect(side.getByRole('button', { name: 'shop_order' })).toBeVisible();
  await expect(page).toHaveURL(/node=service%3Aorder-api/);
  await picture(page, 'map-node');
  await expectAccessible(page);

  await side.getByRole('button', { name: 'shop_order' }).click();
  await expect(page.getByRole('complementary', { name: 'shop_order 정보' })).toBeVisible();
  await page.goto(`${home}/map?node=service%3Aorder-api`);
  await side.getByRole('link', { name: '트랜잭션', exact: true }).click();
  await expect(page).toHaveURL(/\/transactions\?.*service=order-api/);
});

test('the surroundings of one node can be seen alone', async ({ page }) => {
  await page.goto(`${home}/map?node=service%3Adelivery`);
  await expect(page.getByRole('complementary')).toBeVisible();
  const all = await page
    .getByRole('button', { name: /^(사용자|서비스|데이터베이스|캐시|큐 또는 토픽|외부 호스트),/ })
    .count();
  const asked = page.waitForRequest((r) => MAP.test(r.url()) && r.url().includes('focus='));
  await page.getByRole('button', { name: '이 노드 주변만 표시' }).click();
  await asked;
  const some = page.getByRole('button', { name: /^(사용자|서비스|데이터베이스|캐시|큐 또는 토픽|외부 호스트),/ });
  await expect.poll(() => some.count()).toBeLessThan(all);
  await picture(page, 'map-focus');
  await page.getByRole('button', { name: '전체 맵' }).click();
  await expect.poll(() => some.count()).toBe(all);
});

test('the map is a table too, and every node can be found', async ({ page }) => {
  await page.goto(`${home}/map?view=list`);
  const row = page.getByRole('row').filter({ hasText: 'order-api' }).filter({ hasText: 'shop_order' });
  await expect(row).toBeVisible();
  await picture(page, 'map-list');
  await expectAccessible(page);
  await page.getByLabel('노드 찾기').first().fill('payment');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('complementary', { name: /payment.* 정보/ })).toBeVisible();
});

test('nothing on the map moves while it renews itself', async ({ page }) => {
  await page.clock.install();
  await page.goto(`${home}/map`);
  const one = page.getByRole('button', card(/^서비스, order-api/));
  await expect(one).toBeVisible();
  const before = await one.boundingBox();
  const renewed = page.waitForResponse((r) => MAP.test(r.url()));
  await page.clock.runFor(16_000);
  await renewed;
  expect(await one.boundingBox()).toEqual(before);
});

test('a map that cannot be had says so, and an empty one tells how to fill it', async ({ page }) => {
  await page.route(MAP, (route) =>
    route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{"status":503,"detail":"down"}' }),
  );
  await page.goto(`${home}/map`);
  await expect(page.getByRole('alert')).toContainText('데이터 저장소를 지금 사용할 수 없습니다');
  await page.unroute(MAP);
  await page.goto(`${home}/map?from=2020-01-01T00:00:00Z&to=2020-01-01T01:00:00Z`);
  await expect(page.getByRole('heading', { name: '이 시간 범위에 호출이 없습니다' })).toBeVisible();
});
