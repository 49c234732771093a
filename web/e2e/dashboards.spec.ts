import { readFile } from 'node:fs/promises';
import { ask, expect, expectAccessible, fresh, guide, home, picture, press, project, row, test } from './matrix.ts';
import { sendMetrics } from './otlp.ts';

test.beforeAll(async () => {
  await sendMetrics(
    ['seoul', 'busan'].map((zone, i) => ({
      service: 'till',
      name: 'till.drawer',
      unit: 'By',
      description: 'What is in the drawer',
      attributes: { zone },
      values: Array.from({ length: 45 }, (_, m) => (200 - 90 * i + 30 * Math.sin(m / 5)) * 2 ** 20),
    })),
  );
});

test('the dashboard of a new project shows a service at a glance', async ({ page }) => {
  await page.goto(`${home}/dashboards`);
  await page.getByRole('link', { name: '서비스 한눈에' }).click();
  await expect(page.getByRole('heading', { name: '서비스 한눈에' })).toBeVisible();
  await page.getByRole('combobox', { name: '서비스' }).click();
  await page.getByRole('option', { name: 'order-api' }).click();
  await expect(page).toHaveURL(/vars=service%3Dorder-api/);
  await expect(page.getByRole('region', { name: 'order-api' }).getByRole('slider')).toHaveCount(3);
  await expect(page.getByRole('region', { name: '실패한 트랜잭션' })).toContainText('최대 응답시간');
  await expect(page.getByRole('region', { name: '시간을 가장 많이 쓴 SQL' }).getByRole('row').nth(1)).toBeVisible();
  await guide(page, 'dashboards');
  await expectAccessible(page);
  await page.getByRole('button', { name: '어두운 테마' }).click();
  await picture(page, 'dashboard-dark');
  await expectAccessible(page);
});

test('a dashboard is made, arranged, saved and exported, and its changes are not lost by accident', async ({
  page,
}) => {
  const name = fresh('board');
  await page.goto(`${home}/dashboards`);
  await page.getByRole('button', { name: '대시보드 추가' }).click();
  await page.getByRole('dialog').getByRole('textbox').fill(name);
  await press(page, '추가');
  await expect(page.getByRole('heading', { name })).toBeVisible();
  await page.getByRole('button', { name: '수정', exact: true }).click();
  await page.getByRole('button', { name: '패널 추가' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: '제목' }).fill('서랍');
  await dialog.getByRole('textbox', { name: '질의 A', exact: true }).fill('till_drawer_bytes');
  await picture(page, 'dashboard-panel');
  await expectAccessible(page);
  await press(page, '적용');
  const drawer = page.getByRole('region', { name: '서랍' });
  await expect(drawer.locator('figure li')).toHaveCount(2);
  await expect(drawer.locator('figure li').first()).toContainText('MiB');

  await page.getByRole('button', { name: '되돌리기' }).click();
  await expect(drawer).toBeHidden();
  await page.getByRole('button', { name: '패널 추가' }).click();
  await dialog.getByRole('textbox', { name: '제목' }).fill('합계');
  await dialog.getByRole('textbox', { name: '질의 A', exact: true }).fill('sum(till_drawer_bytes)');
  await press(page, '적용');
  await page.getByRole('link', { name: '서비스', exact: true }).click();
  await expect(page.getByRole('dialog', { name: '저장하지 않은 변경이 있습니다' })).toBeVisible();
  await press(page, '취소');
  await page.getByRole('button', { name: '저장', exact: true }).click();
  await expect(page.getByRole('button', { name: '내보내기' })).toBeVisible();

  const waiting = page.waitForEvent('download');
  await page.getByRole('button', { name: '내보내기' }).click();
  const file = await readFile((await (await waiting).path()) ?? '', 'utf8');
  expect(JSON.parse(file)).toMatchObject({ format: 'matrix-dashboard', schema: 1, name, panels: [{ title: '합계' }] });

  await page.goto(`${home}/dashboards`);
  const again = fresh('again');
  await page.locator('input[type=file]').setInputFiles({
    name: 'board.json',
    mimeType: 'application/json',
    buffer: Buffer.from(file.replace(name, again)),
  });
  await expect(page.getByRole('heading', { name: again })).toBeVisible();
  await page.goto(`${home}/dashboards`);
  await row(page, again).getByRole('button', { name: /^삭제/ }).click();
  await press(page, '삭제');
  await expect(row(page, again)).toBeHidden();
});

test('panels are moved and resized by dragging and by keys, and an earlier version comes back', async ({ page }) => {
  const name = fresh('layout');
  const panel = (id: string, title: string) => ({ id, kind: 'text', title, text: title, width: 6, height: 1 });
  const document = {
    format: 'matrix-dashboard',
    schema: 1,
    name,
    variables: [],
    panels: [panel('a', '하나'), panel('b', '둘'), panel('c', '셋')],
  };
  const { id } = await ask<{ id: number }>(page, 'POST', `/projects/${project}/dashboards`, document);
  await page.goto(`${home}/dashboards/${id}`);
  const titles = () => page.locator('main section h2').allTextContents();
  await expect.poll(titles).toEqual(['하나', '둘', '셋']);
  await page.getByRole('button', { name: '수정', exact: true }).click();

  // The third is dragged onto the first.
  const grip = (title: string) => page.getByRole('button', { name: `옮기기: ${title}` });
  const first = await page.getByRole('region', { name: '하나' }).boundingBox();
  const from = await grip('셋').boundingBox();
  if (!first || !from) throw new Error('no panels');
  await page.mouse.move(from.x + 8, from.y + 8);
  await page.mouse.down();
  await page.mouse.move(first.x + 40, first.y + 20, { steps: 8 });
  await picture(page, 'dashboard-drag');
  await page.mouse.up();
  await expect.poll(titles).toEqual(['셋', '하나', '둘']);

  // And by keys one place on.
  await grip('셋').focus();
  await page.keyboard.press('Space');
  await expect(page.getByText('셋 패널을 집었습니다. 전체 3개 가운데 1번째입니다.')).toBeAttached();
  await page.keyboard.press('ArrowRight');
  await expect(page.getByText('셋 패널을 놓으면 전체 3개 가운데 2번째가 됩니다.')).toBeAttached();
  await page.keyboard.press('Space');
  await expect.poll(titles).toEqual(['하나', '셋', '둘']);

  const corner = page.getByRole('button', { name: '크기 바꾸기: 끌거나 화살표 키를 사용합니다: 하나' });
  await corner.focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowDown');
  const one = page.getByRole('region', { name: '하나' });
  await expect(one.getByRole('status')).toHaveText('7/12 · 보통');
  const at = await corner.boundingBox();
  const grid = await page.getByRole('region', { name: '둘' }).locator('..').boundingBox();
  if (!at || !grid) throw new Error('no corner');
  await page.mouse.move(at.x + 12, at.y + 12);
  await page.mouse.down();
  await page.mouse.move(at.x + 12 + (2 * grid.width) / 12, at.y + 200, { steps: 6 });
  await page.mouse.up();
  await expect(one.getByRole('status')).toHaveText('9/12 · 크게');
  await expectAccessible(page);
  await page.getByRole('button', { name: '되돌리기' }).click();
  await expect(one.getByRole('status')).toHaveText('7/12 · 보통');
  await page.getByRole('button', { name: '저장', exact: true }).click();
  await expect(page.getByRole('button', { name: '내보내기' })).toBeVisible();

  await page.getByRole('button', { name: '변경 기록' }).click();
  await expect(page.getByRole('heading', { name: '버전 1 → 버전 2 변경 내용' })).toBeVisible();
  await expect(page.locator('[data-change=added]').filter({ hasText: '"width": 7' })).toBeVisible();
  await picture(page, 'dashboard-history');
  await expectAccessible(page);
  await page.getByRole('link', { name: /버전 1/ }).click();
  await page.getByRole('button', { name: '이 버전으로 되돌리기' }).click();
  await expect(page.getByText('1번 버전을 3번으로 다시 적용했습니다.')).toBeVisible();
  await page.getByRole('button', { name: '변경 기록' }).click();
  await expect.poll(titles).toEqual(['하나', '둘', '셋']);
});

test('a dashboard of Grafana comes over, and what does not is listed', async ({ page }) => {
  const title = fresh('grafana');
  const board = {
    title,
    schemaVersion: 39,
    templating: {
      list: [
        { name: 'ds', type: 'datasource' },
        { name: 'zone', type: 'query', query: 'label_values(till_drawer_bytes, zone)', includeAll: true },
      ],
    },
    panels: [
      {
        title: 'Drawer',
        type: 'stat',
        gridPos: { h: 4, w: 8, x: 0, y: 0 },
        fieldConfig: { defaults: { unit: 'bytes' } },
        targets: [{ refId: 'A', expr: 'till_drawer_bytes{zone=~"$zone"}', legendFormat: '{{zone}}' }],
      },
      { title: 'Map', type: 'geomap', gridPos: { h: 8, w: 12, x: 0, y: 8 } },
    ],
  };
  await page.goto(`${home}/dashboards`);
  await page.locator('input[type=file]').setInputFiles({
    name: 'grafana.json',
    mimeType: 'application/json',
    buffer: Buffer.from(JSON.stringify(board)),
  });
  const left = page.getByRole('dialog');
  await expect(left).toContainText('geomap');
  await expect(left.getByRole('row')).toHaveCount(2);
  await picture(page, 'dashboard-imported');
  await left.getByRole('button', { name: '대시보드 열기' }).click();
  const drawer = page.getByRole('region', { name: 'Drawer' });
  await expect(drawer).toContainText('seoul');
  await expect(drawer).toContainText('busan');
  await page.getByRole('combobox', { name: 'zone' }).click();
  await page.getByRole('option', { name: 'busan' }).click();
  await expect(drawer).not.toContainText('seoul');
  await expect(drawer).toContainText('MiB');
});

test('a file that is no dashboard is refused with a reason', async ({ page }) => {
  await page.goto(`${home}/dashboards`);
  await page.locator('input[type=file]').setInputFiles({
    name: 'no.json',
    mimeType: 'application/json',
    buffer: Buffer.from('{"format": "matrix-dashboard", "schema": 7, "name": "x"}'),
  });
  await expect(page.getByText(/schema 7 is unknown/)).toBeVisible();
});
