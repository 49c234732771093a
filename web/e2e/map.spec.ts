import { readFile } from 'node:fs/promises';
import { expect, expectAccessible, guide, home, picture, test } from './matrix.ts';

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
  await guide(page, 'map');
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
  await expect(page.getByRole('option', { name: /payment/ })).toHaveCount(1);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('complementary', { name: /payment.* 정보/ })).toBeVisible();
});

test('the table is sorted by its heads, filtered by typing, and saved as a file', async ({ page }) => {
  await page.goto(`${home}/map?view=list`);
  const table = page.getByRole('table', { name: '노드 사이의 호출' });
  await table.getByRole('button', { name: 'p95', exact: true }).click();
  await expect(page).toHaveURL(/sort=p95/);
  await expect(table.getByRole('columnheader', { name: 'p95', exact: true })).toHaveAttribute(
    'aria-sort',
    'descending',
  );
  await page.getByRole('searchbox', { name: '이름으로 거르기', exact: true }).fill('shop_order');
  await expect(page).toHaveURL(/q=shop_order/);
  for (const row of await table.getByRole('row').all()) await expect(row).toContainText(/shop_order|출발/);
  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'CSV', exact: true }).click();
  const file = await saved;
  expect(file.suggestedFilename()).toMatch(/^service-map-.*\.csv$/);
  const lines = (await readFile(await file.path(), 'utf8')).trim().split('\r\n');
  expect(lines[0]).toBe(
    'from,from_kind,to,to_kind,calls,calls_per_minute,errors,unanswered,p50_ms,p95_ms,p99_ms,max_ms',
  );
  expect(lines.slice(1).every((line) => line.includes(',shop_order,database,'))).toBe(true);
  await page.getByRole('searchbox', { name: '이름으로 거르기', exact: true }).fill('nobody');
  await expect(page.getByRole('heading', { name: '해당하는 노드 사이의 호출이 없습니다' })).toBeVisible();
});

test('the calls between two nodes lead to both services, their transactions and errors, in the range', async ({
  page,
}) => {
  await page.goto(`${home}/map?view=list&range=24h`);
  const table = page.getByRole('table', { name: '노드 사이의 호출' });
  const row = table.getByRole('row').filter({ hasText: 'order-api' }).filter({ hasText: 'shop_order' });
  await row.getByRole('button').click();
  await expect(page).toHaveURL(/edge=/);
  const side = page.getByRole('complementary', { name: 'order-api에서 shop_order로 가는 호출 정보' });
  await expect(side.getByRole('link', { name: '서비스', exact: true })).toHaveAttribute(
    'href',
    /\/services\/order-api\?.*range=24h/,
  );
  await expect(side.getByRole('link', { name: '오류', exact: true })).toHaveAttribute('href', /\/issues\?.*order-api/);
  await picture(page, 'map-edge');
  await expectAccessible(page);
  await side.getByRole('link', { name: 'SQL 구문', exact: true }).click();
  await expect(page).toHaveURL(/\/sql\?.*service=order-api/);
  await expect(page).toHaveURL(/range=24h/);
  await expect(page.getByRole('row').nth(1)).toBeVisible();

  await page.goto(`${home}/map?node=service%3Aorder-api&range=24h`);
  const node = page.getByRole('complementary', { name: 'order-api 정보' });
  await node.getByTitle('이 호출 자세히 보기').first().click();
  await expect(page.getByRole('complementary', { name: /order-api.* 호출 정보/ })).toBeVisible();
});

test('what a queue edge says is found among the transactions', async ({ page }) => {
  await page.goto(`${home}/map?view=list`);
  const table = page.getByRole('table', { name: '노드 사이의 호출' });
  await table
    .getByRole('row')
    .filter({ hasText: 'order-api' })
    .filter({ hasText: 'order-events' })
    .getByRole('button')
    .click();
  await page.getByRole('complementary').getByRole('link', { name: '이 호출이 있는 트랜잭션', exact: true }).click();
  await expect(page).toHaveURL(/\/transactions\?.*messaging\.destination\.name/);
  await expect(page.getByRole('link', { name: /order-api|POST|GET/ }).first()).toBeVisible();
});

test('one walks through the moments of the range, by keys and by itself, and the address keeps the moment', async ({
  page,
}) => {
  await page.goto(`${home}/map`);
  const one = page.getByRole('button', card(/^서비스, order-api/));
  await expect(one).toBeVisible();
  const before = await one.boundingBox();
  await page.getByRole('button', { name: '시간 이동', exact: true }).click();
  await expect(page).toHaveURL(/at=/);
  await expect(page).toHaveURL(/from=.*to=/);
  const bar = page.getByRole('region', { name: '시간 이동', exact: true });
  const slider = bar.getByRole('slider', { name: '범위 안의 시점', exact: true });
  const now = async () => Number(await slider.getAttribute('aria-valuenow'));
  const last = Number(await slider.getAttribute('aria-valuemax'));
  expect(last).toBeGreaterThan(10);
  expect(await now()).toBe(last);
  await slider.focus();
  const asked = page.waitForRequest((r) => MAP.test(r.url()));
  await page.keyboard.press('ArrowLeft');
  const moment = new URL((await asked).url()).searchParams;
  expect(Date.parse(moment.get('to') ?? '') - Date.parse(moment.get('from') ?? '')).toBe(60_000);
  await expect.poll(now).toBe(last - 1);
  await page.keyboard.press('PageDown');
  await expect.poll(now).toBe(last - 11);
  await expect(slider).toHaveAttribute('aria-valuetext', /트랜잭션 [\d,]+건, 실패 [\d,]+건/);
  // The drawing stands, with the numbers of the moment.
  const then = await one.boundingBox();
  expect([then?.x, then?.width]).toEqual([before?.x, before?.width]);
  await one.click();
  const side = page.getByRole('complementary', { name: 'order-api 정보' });
  const href = await side.getByRole('link', { name: '트랜잭션', exact: true }).getAttribute('href');
  const linked = new URL(href ?? '', 'http://x').searchParams;
  expect(Date.parse(linked.get('to') ?? '') - Date.parse(linked.get('from') ?? '')).toBe(60_000);
  await picture(page, 'map-travel');
  await expectAccessible(page);

  await page.reload();
  await expect.poll(now).toBe(last - 11);
  await bar.getByRole('button', { name: '재생', exact: true }).click();
  await expect.poll(now).toBeGreaterThan(last - 11);
  await bar.getByRole('button', { name: '정지', exact: true }).click();
  await page.keyboard.press('Escape');
  await slider.focus();
  await page.keyboard.press('Home');
  await expect.poll(now).toBe(0);
  await bar.getByRole('button', { name: '전체 범위', exact: true }).click();
  await expect(page).not.toHaveURL(/at=/);
  await expect(slider).toBeHidden();
});

test('g and m lead to the map', async ({ page }) => {
  await page.goto(`${home}/services`);
  await expect(page.getByRole('heading', { name: '서비스', exact: true })).toBeVisible();
  await page.keyboard.press('g');
  await page.keyboard.press('m');
  await expect(page).toHaveURL(/\/map/);
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
