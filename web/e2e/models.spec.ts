import {
  ask,
  expect,
  expectAccessible,
  fresh,
  guide,
  login,
  picture,
  press,
  row,
  somebodyElse,
  test,
} from './matrix.ts';

test('calls are kept away from a model by hand, and let through again', async ({ page }) => {
  const model = fresh('spare');
  await page.goto('/');
  await page.getByRole('link', { name: '모델', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('모델');
  // The shop's incidents have been asked about: their model answers.
  await expect(row(page, 'analyst-1').first()).toContainText('정상');
  await page.getByRole('button', { name: '모델 차단' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('combobox', { name: '제공자' }).fill('openai');
  await dialog.getByRole('combobox', { name: '모델' }).fill(model);
  await dialog.getByRole('combobox', { name: '키' }).fill('default');
  await dialog.getByLabel('이유').fill('maintenance');
  await page.keyboard.press('Tab');
  await expectAccessible(page);
  await picture(page, 'circuit-form');
  await press(page, '차단');
  const circuit = row(page, model);
  await expect(circuit).toContainText('직접 차단');
  await expect(circuit).toContainText(/님이 차단: maintenance/);
  await expectAccessible(page);
  await guide(page, 'models');
  await page.getByRole('button', { name: `차단 해제: ${model} · default` }).click();
  await press(page, '차단 해제');
  await expect(circuit).toContainText('정상');
  await expect(page.getByRole('button', { name: `차단 해제: ${model} · default` })).toBeHidden();
});

test('what a model does not take is added, edited, found and deleted', async ({ page }) => {
  const model = `${fresh('lab')}/*`;
  await page.goto('/models');
  await page.getByRole('button', { name: '새 규칙' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('combobox', { name: '제공자' }).fill('*');
  await dialog.getByRole('combobox', { name: '모델' }).fill(model);
  await press(page, '저장');
  await expect(dialog).toContainText('제외할 항목이나 하나만 보낼 항목을 선택해 주세요');
  // Without a value the field's own input is too narrow to be hit.
  await dialog.getByRole('combobox', { name: '제외' }).click({ force: true });
  await page.getByRole('option', { name: '시드 · seed' }).click();
  await page.getByRole('option', { name: 'JSON 스키마 · json_schema' }).click();
  await page.keyboard.press('Escape');
  await picture(page, 'capability-form');
  await press(page, '저장');
  await expect(row(page, model)).toContainText('seed');
  await expect(row(page, model)).toContainText('json_schema');

  await page.getByRole('button', { name: `수정: * ${model}` }).click();
  await dialog.getByLabel('메모').fill('tried by hand');
  await press(page, '저장');
  await expect(row(page, model)).toContainText('tried by hand');
  await page.getByRole('searchbox', { name: '제공자, 모델로 찾기' }).fill(model.toUpperCase());
  await expect(page).toHaveURL(/q=/);
  await expect(row(page, 'tried by hand')).toHaveCount(1);
  await expect(row(page, 'gpt-5')).toHaveCount(0);
  await page.getByRole('button', { name: `삭제: * ${model}` }).click();
  await press(page, '삭제');
  await expect(row(page, 'tried by hand')).toHaveCount(0);
  const { items } = await ask<{ items: { model: string }[] }>(page, 'GET', '/ai-capabilities');
  expect(items.map((each) => each.model)).not.toContain(model);
});

test('who does not administer the installation sees no models', async ({ page, browser, baseURL }) => {
  const other = await somebodyElse(page, browser, baseURL);
  await other.page.goto('/models');
  await login(other.page, other);
  await expect(other.page.getByRole('alert')).toContainText('이 작업에 대한 권한이 없습니다');
  await expect(other.page.getByRole('link', { name: '모델', exact: true })).toBeHidden();
  await other.close();
});

test('a circuit that opened by itself says why and until when, and circuits that cannot be had say so', async ({
  page,
}) => {
  const api = /\/api\/v1\/ai-circuits$/;
  const now = Date.now();
  const circuit = {
    provider: 'openai',
    model: 'failing-1',
    key: 'second',
    state: 'open',
    reason: '6 of 10 calls failed within a minute, the last: rate_limited',
    since: new Date(now - 10_000).toISOString(),
    until: new Date(now + 3_600_000).toISOString(),
    calls: 10,
    failures: 6,
    manual: false,
  };
  const tried = {
    ...circuit,
    model: 'failing-2',
    state: 'half_open',
    reason: 'it was tried again and failed: timeout',
    until: '0001-01-01T00:00:00Z',
  };
  await page.route(api, (route) => route.fulfill({ json: { items: [circuit, tried], next_cursor: '', total: 2 } }));
  await page.goto('/models');
  const open = row(page, 'failing-1');
  await expect(open).toContainText('1분 동안 10건 중 6건 실패, 마지막 실패: 요청 한도 초과');
  await expect(open).toContainText('10건 중 6건 60 %');
  await expect(open.getByRole('time')).toHaveCount(2);
  await expect(row(page, 'failing-2')).toContainText('복구 확인 중');
  await expect(row(page, 'failing-2')).toContainText('제한 시간 내 응답 없음');
  await expect(row(page, 'failing-2').getByRole('time')).toHaveCount(1);
  await expectAccessible(page);
  await picture(page, 'circuits');

  const down = { status: 503, contentType: 'application/problem+json', body: '{"status":503}' };
  await page.unroute(api);
  await page.route(api, (route) => route.fulfill(down));
  await page.reload();
  await expect(page.getByRole('alert')).toContainText('데이터 저장소를 지금 사용할 수 없습니다');
  await expect(row(page, 'gpt-5').first()).toBeVisible();
  await page.unroute(api);
  await page.getByRole('button', { name: '다시 시도' }).click();
  await expect(row(page, 'analyst-1').first()).toBeVisible();
});

test('how records get to a search engine is told: off, running, and what was refused while it waits', async ({
  page,
}) => {
  await page.goto('/models');
  const section = page.getByRole('region', { name: '검색 엔진으로 보내는 기록' });
  await expect(section).toContainText('기록은 MATRIX에만 있습니다');

  const status = {
    index: 'matrix-ai',
    urls: ['https://search.internal:9200'],
    shipped: 12_345,
    refused: 0,
    waiting: 0,
    oldest: null,
    failures: 0,
    error: '',
    at: new Date(Date.now() - 5_000).toISOString(),
  };
  const api = /\/api\/v1\/ai-shipping$/;
  await page.route(api, (route) => route.fulfill({ json: { configured: true, status } }));
  await page.reload();
  await expect(section).toContainText('정상');
  await expect(section).toContainText('12.3 k');

  await page.unroute(api);
  const waits = {
    ...status,
    refused: 2,
    waiting: 678,
    oldest: new Date(Date.now() - 3_600_000).toISOString(),
    failures: 3,
  };
  await page.route(api, (route) =>
    route.fulfill({ json: { configured: true, status: { ...waits, error: 'the destination does not answer' } } }),
  );
  await page.reload();
  await expect(section).toContainText('the destination does not answer');
  await expect(section).toContainText('678');
  await expect(section).toContainText('거부된 문서는 인덱스에 맞지 않아');
  await expectAccessible(page);
  await section.scrollIntoViewIfNeeded();
  await picture(page, 'shipping');
});
