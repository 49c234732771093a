import { expect, expectAccessible, guide, home, picture, test } from './matrix.ts';

const order = `${home}/services/order-api`;

test('call stacks of slow spans are a flame graph and a table of functions', async ({ page }) => {
  await page.goto(order);
  await page.getByRole('tab', { name: '프로파일' }).click();
  await expect(page).toHaveURL(/tab=profiles/);
  const flame = page.getByRole('region', { name: '플레임 그래프' });
  const frame = flame.getByRole('button', { name: /OrderHistoryRepository\.selectTotalHistory/ }).first();
  await expect(frame).toBeVisible();
  await expect(page.getByRole('table', { name: '함수' }).getByRole('row').nth(1)).toContainText(/\d %/);
  await expectAccessible(page);
  await page.getByRole('button', { name: '어두운 테마' }).click();
  await picture(page, 'profiles-dark');
  await expectAccessible(page);

  await frame.click();
  await expect(page).toHaveURL(/call=[0-9a-f]{8}/);
  await expect(frame).toBeFocused();
  await page.reload();
  await expect(flame.getByRole('button', { name: '전체 보기' })).toBeVisible();
  await flame.getByRole('button', { name: '전체 보기' }).click();
  await expect(page).not.toHaveURL(/call=/);

  await page.getByLabel('함수 검색').fill('orderhistory');
  await expect(page).toHaveURL(/q=orderhistory/);
  await expect(page.getByText(/호출 \d+개 찾음: .* %\)/)).toBeVisible();
  await picture(page, 'profiles-search');
});

test('what a profiler sends is shown by what it counts, and of an endpoint alone', async ({ page }) => {
  await page.goto(`${home}/services/catalog?tab=profiles`);
  const flame = page.getByRole('region', { name: '플레임 그래프' });
  const searching = flame.getByRole('button', { name: /SearchService\.search/ });
  await expect(page.getByRole('radio', { name: 'CPU 시간' })).toBeChecked();
  await expect(searching.first()).toBeVisible();
  await expect(flame.getByRole('button', { name: /ProductService\.find/ }).first()).toBeVisible();
  await page.getByRole('tab', { name: '프로파일' }).evaluate((tab) => tab.scrollIntoView());
  await guide(page, 'profiles');
  await expectAccessible(page);

  await page.getByRole('combobox', { name: '엔드포인트' }).click();
  await page.getByRole('option', { name: 'GET /v1/api/products/{productId}' }).click();
  await expect(page).toHaveURL(/endpoint=/);
  await expect(searching).toHaveCount(0);
  await expect(flame.getByRole('button', { name: /PriceRules\.apply/ }).first()).toBeVisible();
  await page.getByText('표본', { exact: true }).click();
  await expect(page).toHaveURL(/kind=samples/);
  await picture(page, 'profiles-endpoint');
});

test('an endpoint leads to its profile', async ({ page }) => {
  await page.goto(order);
  await page
    .getByRole('link', { name: /의 프로파일$/ })
    .first()
    .click();
  await expect(page).toHaveURL(/tab=profiles/);
  await expect(page).toHaveURL(/endpoint=/);
  await expect(page.getByRole('tab', { name: '프로파일', selected: true })).toBeVisible();
});

test('a service without call stacks says how to send them', async ({ page }) => {
  await page.goto(`${home}/services/payment?tab=profiles`);
  await expect(page.getByRole('heading', { name: '이 시간 범위에 호출 스택이 없습니다' })).toBeVisible();
  await expect(page.getByText('/v1/pprof?service=payment')).toBeVisible();
  await picture(page, 'profiles-none');
  await expectAccessible(page);
});
