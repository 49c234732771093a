import { expect, expectAccessible, guide, home, picture, test } from './matrix.ts';
import { sendMetrics } from './otlp.ts';

const minutes = Array.from({ length: 45 }, (_, i) => i);

test.beforeAll(async () => {
  const checkouts = (zone: string, perMinute: number) => ({
    service: 'checkout',
    name: 'checkout.orders',
    unit: '1',
    description: 'Orders that were placed',
    counter: true,
    attributes: { zone },
    values: minutes.map((i) => perMinute * i + 20 * Math.sin(i / 6)),
  });
  const heap = (zone: string, mib: number) => ({
    service: 'checkout',
    name: 'checkout.heap',
    unit: 'By',
    description: 'Memory of the checkout in use',
    attributes: { zone },
    values: minutes.map((i) => (mib + 40 * Math.sin(i / 5)) * 2 ** 20),
  });
  const zones = ['seoul', 'busan', 'jeju'];
  await sendMetrics(zones.flatMap((zone, i) => [checkouts(zone, 300 - 90 * i), heap(zone, 400 - 80 * i)]));
  await sendMetrics(
    Array.from({ length: 30 }, (_, i) => ({
      service: 'checkout',
      name: 'checkout.shelf.items',
      unit: '{items}',
      description: 'Items on a shelf',
      attributes: { shelf: `shelf-${i}` },
      values: [i, i + 1, i + 2],
    })),
  );
});

test('a metric of the list asks its first question', async ({ page }) => {
  await expect(async () => {
    await page.goto(`${home}/metrics`);
    await page.getByLabel('메트릭 이름').fill('orders', { timeout: 2000 });
    await page.getByRole('button', { name: /checkout_orders_total/ }).click({ timeout: 2000 });
  }).toPass();
  await expect(page).toHaveURL(/a=sum%28rate%28checkout_orders_total/);
  const chart = page.getByRole('slider', { name: /시간별 값/ });
  await expect(chart).toBeVisible();
  await chart.focus();
  await page.keyboard.press('ArrowLeft');
  await expect(chart).toHaveAttribute('aria-valuetext', /[\d.]+\/(s|min)/);
});

test('several queries stand in the address, and each can be switched off', async ({ page }) => {
  const a = encodeURIComponent('sum by (zone) (checkout_heap_bytes)');
  await page.goto(`${home}/metrics?a=${a}`);
  await page.getByRole('button', { name: '질의 추가' }).click();
  const field = page.getByRole('textbox', { name: '질의 B' });
  await field.fill('max(checkout_heap_bytes)');
  await field.press('Enter');
  await expect(page).toHaveURL(/b=max/);
  const legend = page.locator('figure li');
  await expect(legend).toHaveCount(4);
  await expect(legend.first()).toContainText('MiB');
  await expect(page.locator('.table tbody tr').first()).toContainText('MiB');
  await guide(page, 'metrics');
  await expectAccessible(page);
  await page.getByRole('button', { name: '어두운 테마' }).click();
  await picture(page, 'metrics-dark');
  await expectAccessible(page);
  await page.getByRole('checkbox', { name: '질의 A 표시' }).uncheck();
  await expect(page).toHaveURL(/off=a/);
  await expect(legend).toHaveCount(1);
  await page.reload();
  await expect(legend).toHaveCount(1);
});

test('what is typed is completed: metrics, functions, labels and values', async ({ page }) => {
  await page.goto(`${home}/metrics`);
  const field = page.getByRole('textbox', { name: '질의 A' });
  await field.pressSequentially('su');
  await expect(page.getByRole('option', { name: /^sum/ }).first()).toBeVisible();
  await field.fill('');
  await field.pressSequentially('heap');
  const metric = page.getByRole('option', { name: /checkout_heap_bytes/ });
  await expect(metric).toContainText('Memory of the checkout in use');
  await picture(page, 'metrics-completion');
  await metric.click();
  await field.press('End');
  await field.pressSequentially('{zo');
  await page.getByRole('option', { name: 'zone' }).click();
  await page.getByRole('option', { name: 'busan' }).click();
  await expect(field).toHaveValue('checkout_heap_bytes{zone="busan"');
  await field.press('Enter');
  const alert = page.getByRole('alert');
  await expect(alert).toContainText(/1행 \d+열/);
  await expect(alert.locator('mark')).toBeVisible();
  await picture(page, 'metrics-fault');
  await expectAccessible(page);
});

test('many series are cut down, and it is said', async ({ page }) => {
  await page.goto(`${home}/metrics?a=checkout_shelf_items`);
  await expect(page.getByText('시계열 30개 중 최근 값이 큰 24개만')).toBeVisible();
  await expect(page.locator('figure li')).toHaveCount(24);
  await picture(page, 'metrics-many');
});

test('g and x go to the metrics', async ({ page }) => {
  await page.goto(`${home}/incidents`);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await page.keyboard.press('g');
  await page.keyboard.press('x');
  await expect(page).toHaveURL(/\/metrics$/);
});
