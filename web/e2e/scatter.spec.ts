import type { Page } from '@playwright/test';
import { expect, expectAccessible, fresh, guide, home, picture, row, test } from './matrix.ts';

const plot = (page: Page) => page.locator('canvas[role=img]');
const search = (page: Page) =>
  page.getByRole('combobox', { name: '검색' }).or(page.getByRole('searchbox', { name: '검색', exact: true }));

/** Waits until the picture is drawn, and says how many dots it has. */
async function drawn(page: Page): Promise<number> {
  await expect(plot(page)).toHaveAttribute('data-drawn', /^[1-9]/);
  return Number(await plot(page).getAttribute('data-drawn'));
}

/** Drags over the plot, in shares of its size. */
async function drag(page: Page, from: [number, number], to: [number, number]) {
  const box = await plot(page).boundingBox();
  if (!box) throw new Error('there is no plot');
  const at = ([x, y]: [number, number]) => [box.x + box.width * x, box.y + box.height * y] as const;
  await page.mouse.move(...at(from));
  await page.mouse.down();
  await page.mouse.move(...at(to), { steps: 8 });
  await page.mouse.up();
}

test('from a rectangle to its transactions, what differs, and a trace; the address holds it all', async ({ page }) => {
  await page.goto(`${home}/transactions?range=24h`);
  await drawn(page);
  await page.getByRole('radiogroup', { name: '소요 시간 축' }).getByText('로그').click();
  await expect(page).toHaveURL(/axis=log/);
  await picture(page, 'scatter');
  await drag(page, [0.02, 0.01], [0.95, 0.6]); // not up to now, where late ones still come in
  await expect(page).toHaveURL(/sel=\d+_\d+_\d+_\d+/);
  await expect(page.getByText(/^선택:/)).toBeVisible();
  await expect(page.getByRole('region', { name: '나머지와 다른 점' })).toBeVisible();
  await expect(page.locator('[aria-busy=true]')).toHaveCount(0);
  await picture(page, 'scatter-selected');
  const listed = page.locator('.row-link');
  const many = await listed.count();
  expect(many).toBeGreaterThan(0);
  const first = await listed.first().getAttribute('href');
  await page.reload();
  await expect(listed).toHaveCount(many);
  await expect(listed.first()).toHaveAttribute('href', first ?? '');
  await listed.first().click();
  await expect(page).toHaveURL(/\/traces\/[0-9a-f]{32}\?span=/);
  await page.goBack();
  await page.getByRole('button', { name: '선택 해제' }).click();
  await expect(page).not.toHaveURL(/sel=/);
});

test('a selection can be made without a pointer', async ({ page }) => {
  await page.goto(`${home}/transactions?range=24h`);
  await drawn(page);
  await page.getByRole('button', { name: '숫자로 선택' }).focus();
  await page.keyboard.press('Enter');
  const form = page.getByRole('dialog');
  await form.getByLabel('최소 소요 시간').fill('0');
  await form.getByLabel('최대 소요 시간').fill('600000');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/sel=\d+_\d+_0_600000999/);
  await expect(page.locator('.row-link').first()).toBeVisible();
});

test('the search completes, finds, and points at what is wrong', async ({ page }) => {
  await page.goto(`${home}/transactions?range=24h`);
  await drawn(page);
  const box = search(page);
  await box.fill('serv');
  await page
    .getByRole('option', { name: /service:/ })
    .first()
    .click();
  await expect(box).toHaveValue('service:');
  await box.press('End');
  await page.keyboard.type('order');
  await page.getByRole('option', { name: /^order-api/ }).click();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/q=service/);
  await expect(page.locator('.row-link').first()).toBeVisible();
  await box.fill('service:order-api sql.count>0 durations>2s');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toContainText('31번째 글자');
  await expect(page.locator('u')).toHaveText('durations>2s');
  await picture(page, 'search-wrong');
  await box.fill('service:order-api sql.count>0 duration>1ms');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toHaveCount(0);
  await expect(page.locator('.row-link').first()).toBeVisible();
});

test('a search is saved, run by name, and deleted', async ({ page }) => {
  const name = fresh('느린 주문');
  await page.goto(`${home}/transactions?range=24h&q=duration%3E1ms`);
  await drawn(page);
  await page.getByRole('button', { name: '저장된 검색' }).click();
  await page.getByRole('button', { name: '이 검색 저장' }).click();
  await page.getByRole('dialog').getByLabel('이름').fill(name);
  await page.keyboard.press('Enter');
  await expect(page.getByText('검색을 저장했습니다')).toBeVisible();
  await page.goto(`${home}/transactions?range=24h`);
  await page.getByRole('button', { name: '저장된 검색' }).click();
  await picture(page, 'saved-searches');
  await page.getByRole('button', { name: new RegExp(`^${name}`) }).click();
  await expect(search(page)).toHaveValue('duration>1ms');
  await page.getByRole('button', { name: '저장된 검색' }).click();
  await page.getByRole('button', { name: `“${name}” 삭제` }).click();
  await expect(page.getByText('검색을 삭제했습니다')).toBeVisible();
});

test('new transactions come without a renewal, and never twice', async ({ page }) => {
  await page.goto(`${home}/transactions?range=24h`);
  await drawn(page);
  const asked = await page.waitForRequest((request) => /\/scatter\?.*since=\d+/.test(request.url()));
  expect(new URL(asked.url()).searchParams.get('live')).toBe('true');
  await page.getByRole('button', { name: '화면 갱신 멈추기' }).click();
  await drawn(page);
  await expect(page.getByText('실시간, 2초마다')).toHaveCount(0);
});

for (const scheme of ['light', 'dark'] as const) {
  test(`100,000 dots are drawn at once and can be worked with (${scheme})`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.route(/\/scatter\?/, async (route) => {
      const from = Date.parse(new URL(route.request().url()).searchParams.get('from') ?? '');
      const n = 100_000;
      let seed = 1;
      const chance = () => {
        seed = (seed * 16_807) % 2_147_483_647;
        return seed / 2_147_483_647;
      };
      const elapsed = Array.from({ length: n }, () =>
        Math.round(20_000 * Math.exp(3 * chance() * chance()) + (chance() < 0.02 ? 400_000 * chance() : 0)),
      );
      await route.fulfill({
        json: {
          total: 2_345_678,
          errors: 4_000,
          longest_ns: 900_000_000,
          thinned: true,
          cell_px: 3,
          cursor: '1',
          ended: [from, ...Array.from({ length: n - 1 }, () => (chance() < 0.86 ? 36 : 34))],
          elapsed,
          failed: Array.from({ length: 2_000 }, () => 1 + Math.floor(chance() * 97)),
        },
      });
    });
    await page.goto(`${home}/transactions`);
    expect(await drawn(page)).toBe(100_000);
    await expect(page.getByRole('status').filter({ hasText: '100 k' })).toBeVisible();
    const ms = Number(await plot(page).getAttribute('data-ms'));
    const begin = Date.now();
    await drag(page, [0.3, 0.2], [0.6, 0.7]);
    await expect(page).toHaveURL(/sel=/);
    console.log(`100,000 dots drawn in ${ms} ms (${scheme}); dragging a rectangle took ${Date.now() - begin} ms`);
    expect(ms).toBeLessThan(300);
    await picture(page, `scatter-100k-${scheme}`);
  });

  test(`the scatter and the heatmap have no serious barrier (${scheme})`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.goto(`${home}/transactions?range=24h&mode=heat&axis=log`);
    await drawn(page);
    await expectAccessible(page);
    await picture(page, `heatmap-${scheme}`);
    await page.goto(`${home}/transactions?range=24h&axis=log`);
    await drawn(page);
    await drag(page, [0.01, 0.01], [0.999, 0.5]);
    await expect(row(page, '%').first().or(page.getByText('우연으로 설명되지 않는'))).toBeVisible();
    await expect(page.locator('[aria-busy=true]')).toHaveCount(0);
    await expectAccessible(page);
    await picture(page, `scatter-${scheme}`);
    if (scheme === 'light') await guide(page, 'transactions');
  });
}

test('a search asks for the sender too, and is completed by what senders say', async ({ page }) => {
  await page.goto(`${home}/transactions`);
  const field = page.getByRole('combobox', { name: '검색', exact: true });
  await field.fill('resource.service.n');
  await page.getByRole('option', { name: 'resource.service.name: 필드', exact: true }).click();
  await page.keyboard.type('order');
  await page.getByRole('option', { name: /^order-api/ }).click();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/q=resource\.service\.name.*order-api/);
  await expect(page.getByRole('row').filter({ hasText: 'order-api' }).first()).toBeVisible();
  await expect(page.getByRole('row').filter({ hasText: 'gateway' })).toHaveCount(0);
});
