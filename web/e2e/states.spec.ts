import { expect, home, incident, picture, test } from './matrix.ts';

const LIST = /\/api\/v1\/projects\/\d+\/(incidents|transactions)\?/;
const down = {
  status: 503,
  contentType: 'application/problem+json',
  body: '{"status":503,"detail":"the engine is down"}',
};

test('a list that cannot be had says so, and comes back', async ({ page }) => {
  await page.route(LIST, (route) => route.fulfill(down));
  await page.goto(`${home}/incidents?state=all`);
  await expect(page.getByRole('alert')).toContainText('데이터 저장소를 지금 사용할 수 없습니다');
  await picture(page, 'unavailable');
  await page.unroute(LIST);
  await page.getByRole('button', { name: '다시 시도' }).click();
  await expect(page.locator(`a[href*="/incidents/${incident}"]`)).toBeVisible();
});

test('an empty list does not ask for telemetry while nobody knows whether there is any', async ({ page }) => {
  await page.route(/\/projects\/\d+\/home$/, (route) => route.fulfill(down));
  await page.route(LIST, (route) => route.fulfill({ json: { items: [], next_cursor: '', total: 0 } }));
  await page.goto(`${home}/incidents`);
  await expect(page.getByRole('alert')).toContainText('데이터 저장소를 지금 사용할 수 없습니다');
  await expect(page.getByRole('group', { name: 'OpenTelemetry 설정' })).toHaveCount(0);
});

for (const where of ['incidents?state=all', `incidents/${incident}`, 'transactions'] as const) {
  test(`what could not be renewed says since when it stands: ${where.replace(/\d+/, 'one')}`, async ({ page }) => {
    await page.clock.install();
    await page.goto(`${home}/${where}`);
    await expect(page.locator('.row-link, #report').first()).toBeVisible();
    const api = /\/api\/v1\/projects\/\d+\/(incidents|transactions)/;
    await page.route(api, (route) => route.fulfill(down));
    const stale = page.getByRole('status').filter({ hasText: '이후 갱신되지 않았습니다' });
    // The next renewal and its two repetitions.
    await expect(async () => {
      await page.clock.runFor(20_000);
      await expect(stale).toBeVisible({ timeout: 500 });
    }).toPass({ timeout: 30_000 });
    await expect(page.getByRole('alert')).toHaveCount(0);
    if (where === 'transactions') await picture(page, 'stale');
    await page.unroute(api);
    await stale.getByRole('button', { name: '다시 시도' }).click();
    await expect(stale).toBeHidden();
  });
}

test('a list stands still while the reader has paused', async ({ page }) => {
  await page.clock.install();
  await page.goto(`${home}/transactions`);
  await expect(page.locator('.row-link').first()).toBeVisible();
  await page.getByRole('button', { name: '화면 갱신 멈추기' }).click();
  await picture(page, 'paused');
  let asked = 0;
  page.on('request', (request) => {
    if (LIST.test(request.url())) asked++;
  });
  await page.clock.runFor(90_000);
  expect(asked).toBe(0);
  const renewed = page.waitForRequest(LIST);
  await page.getByRole('button', { name: '갱신 다시 시작' }).click();
  await page.clock.runFor(31_000);
  await renewed;
});

test('a filter follows the way back', async ({ page }) => {
  await page.goto(`${home}/transactions?service=order-api`);
  const service = page.getByRole('searchbox', { name: '서비스' });
  await expect(service).toHaveValue('order-api');
  await page.getByRole('link', { name: '트랜잭션' }).first().click();
  await expect(service).toHaveValue('');
  await page.goBack();
  await expect(service).toHaveValue('order-api');
});

test('the time range counts for ended incidents and not for open ones', async ({ page }) => {
  await page.goto(`${home}/incidents`);
  await expect(page.getByRole('button', { name: /열린 인시던트는 발생 시점과 관계없이/ })).toBeVisible();
  const asked = page.waitForRequest((request) => /\/incidents\?.*state=resolved/.test(request.url()));
  await page.getByText('해결됨', { exact: true }).first().click();
  expect(new URL((await asked).url()).searchParams.get('from')).toBeTruthy();
  await expect(page.getByRole('button', { name: /^시간 범위: 최근 1시간/ })).toBeVisible();
});
