import { expect, expectAccessible, guide, home, picture, test } from './matrix.ts';

test('the host whose disk fills up comes first and says why', async ({ page }) => {
  await page.goto(`${home}/incidents`);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await page.keyboard.press('g');
  await page.keyboard.press('h');
  await expect(page).toHaveURL(/\/hosts$/);
  const first = page.getByRole('row').nth(1);
  await expect(first).toContainText('shop-prod-node-03');
  await expect(first).toContainText(/\/var\/lib\/containerd [\d.]+ % 사용/);
  await expect(page.getByRole('row')).toHaveCount(7);
  await expect(first).toContainText(/4코어/);
  await guide(page, 'hosts');
  await expectAccessible(page);
  await page.getByRole('button', { name: '어두운 테마' }).click();
  await picture(page, 'hosts-dark');
  await expectAccessible(page);
});

test('hosts are filtered by name or service and ordered in the address', async ({ page }) => {
  await page.goto(`${home}/hosts`);
  await page.getByRole('button', { name: 'CPU', exact: true }).click();
  await expect(page).toHaveURL(/sort=cpu/);
  await page.getByLabel('호스트나 서비스 이름').fill('node-03');
  await expect(page).toHaveURL(/q=node-03/);
  await expect(page.getByRole('row')).toHaveCount(2);
  await page.getByLabel('호스트나 서비스 이름').fill('no such host');
  await expect(page.getByRole('heading', { name: '조건에 맞는 호스트가 없습니다' })).toBeVisible();
});

test('a host shows its course and leads to what runs on it', async ({ page }) => {
  await page.goto(`${home}/hosts`);
  await page.getByRole('link', { name: 'shop-prod-node-03' }).click();
  await expect(page.getByRole('heading', { name: 'shop-prod-node-03' })).toBeVisible();
  await expect(page.getByRole('slider')).toHaveCount(6);
  await page.getByRole('slider', { name: /^디스크 사용률/ }).focus();
  await page.keyboard.press('End');
  await expect(page.getByRole('slider', { name: /^디스크 사용률/ })).toHaveAttribute('aria-valuetext', /containerd/);
  await picture(page, 'host');
  await expectAccessible(page);
  await page.getByRole('button', { name: '어두운 테마' }).click();
  await picture(page, 'host-dark');
  await expectAccessible(page);
  await page.locator('.table .row-link').first().click();
  await expect(page).toHaveURL(/\/services\/[a-z-]+/);
});

test('a host that is not there says so', async ({ page }) => {
  await page.goto(`${home}/hosts/no-such-host`);
  await expect(page.getByRole('alert')).toContainText('이 주소에는 아무것도 없습니다');
});
