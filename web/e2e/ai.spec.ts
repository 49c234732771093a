import {
  ask,
  callPage,
  expect,
  expectAccessible,
  fresh,
  home,
  incident,
  incidentPage,
  login,
  picture,
  project,
  row,
  test,
} from './matrix.ts';

const role = 'agent-alert-analyzer';

test('from the list of calls to one call, its refused answer, and back to the incident', async ({ page }) => {
  await page.goto(`${home}/incidents`);
  await page.getByRole('link', { name: '호출' }).click();
  await expect(page).toHaveURL(/\/ai-calls/);
  await page
    .getByRole('textbox', { name: '대상' })
    .or(page.getByRole('searchbox', { name: '대상' }))
    .fill(incident);
  await expect(page).toHaveURL(new RegExp(`ref=incident%2F${incident}`));
  const row = page.getByRole('row').filter({ hasText: `${role}@1` });
  await expect(row.first()).toContainText('답변');
  await picture(page, 'calls');

  await row.first().locator('.row-link').focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`${role}@1`);
  const attempts = page.getByRole('table');
  await expect(attempts).toContainText('거부');
  await expect(attempts).toContainText('거부 사유와 함께 다시 질의');
  await expect(attempts).toContainText('유효하지 않은 답변');
  await expect(attempts.getByRole('img', { name: /^호출 시작 후 .*까지$/ })).toHaveCount(2);
  await expect(page.getByText(/^게이트웨이 [\d.]+ (µs|ms)$/)).toBeVisible();
  const result = page.getByRole('complementary');
  await expect(result).toContainText('production');
  await expect(result).toContainText('답변 완료');
  await expect(result).toContainText('통과');
  await page.getByText('받아들이지 않은 답변').click();
  await expect(page.getByRole('group', { name: '받아들이지 않은 답변' })).toHaveText('I would rather not.');
  await expect(page.getByRole('group', { name: '메시지', exact: true })).toContainText('[E1]');
  await picture(page, 'call');

  await page.getByRole('link', { name: `인시던트 #${incident}` }).click();
  await expect(page).toHaveURL(new RegExp(`${incidentPage}`));
  await page.getByRole('link', { name: '호출 보기' }).click();
  await expect(page).toHaveURL(new RegExp(await callPage(page)));
});

test('the calls are those of the chosen time, and of who asked what for, by name', async ({ page }) => {
  const code = fresh('asked');
  await ask(page, 'POST', '/roles', { code, system_message: 'Answer from the facts only.', chain: [], parameters: {} });
  const { user } = await ask<{ user: { id: number; name: string } }>(page, 'GET', '/me');
  for (const input of ['one', 'two']) {
    await ask(page, 'POST', `/ai/roles/${code}/runs?project=${project}`, { input });
  }
  await expect(async () => {
    await page.goto(`${home}/ai-calls?role=${code}`); // a call is in the log up to a second after its answer
    await expect(row(page, code)).toHaveCount(2, { timeout: 2000 });
  }).toPass();
  await page.getByRole('combobox', { name: '사용자' }).click();
  await page.getByRole('option', { name: user.name || String(user.id), exact: true }).click();
  await expect(page).toHaveURL(new RegExp(`person=(%22)?${user.id}(%22)?(&|$)`));
  await page.getByRole('combobox', { name: '용도' }).click();
  await page.getByRole('option', { name: 'api', exact: true }).click();
  await expect(page).toHaveURL(/purpose=api/);
  await expect(row(page, code)).toHaveCount(2);
  await page.getByRole('combobox', { name: 'API 토큰' }).click();
  await page.getByRole('option', { name: 'API 토큰 없음', exact: true }).click();
  await expect(page.getByRole('listbox')).toBeHidden();
  await expect(row(page, code)).toHaveCount(2);
  await page.reload();
  await expect(page.getByRole('combobox', { name: '사용자' })).toHaveValue(user.name || String(user.id));
  await expect(page.getByRole('combobox', { name: 'API 토큰' })).toHaveValue('API 토큰 없음');
  await expect(row(page, code)).toHaveCount(2);
  await expectAccessible(page);
  await picture(page, 'calls-asked');
  await page.emulateMedia({ colorScheme: 'dark' });
  await expectAccessible(page);
  await picture(page, 'calls-asked-dark');

  // Calls of nobody are not these; taken off again, they are back.
  await page.goto(`${home}/ai-calls?role=${code}&person=0`);
  await expect(page.getByText('조건에 맞는 호출이 없습니다')).toBeVisible();
  await expect(page.getByRole('combobox', { name: '사용자' })).toHaveValue('사용자 없음');
  await page.getByLabel('지우기: 사용자').click();
  await expect(row(page, code)).toHaveCount(2);
  await expect(page).not.toHaveURL(/person=/);

  // The top bar's range: a time before them has none, and chosen anew it has.
  const hour = (n: number) => new Date(Date.now() + n * 3_600_000).toISOString();
  await page.goto(`${home}/ai-calls?role=${code}&from=${hour(-3)}&to=${hour(-2)}`);
  await expect(page.getByText('조건에 맞는 호출이 없습니다')).toBeVisible();
  await page.goto(`${home}/ai-calls?from=${hour(-300)}&to=${hour(-299)}`);
  await expect(page.getByText('이 기간에 모델을 호출한 기록이 없습니다')).toBeVisible();
  await expectAccessible(page);
  await page.goto(`${home}/ai-calls?role=${code}&range=15m`);
  await expect(row(page, code)).toHaveCount(2);
});

test.describe('in English', () => {
  test.use({ locale: 'en-GB' });
  test('the calls are narrowed to who asked', async ({ page }) => {
    await page.goto(`${home}/ai-calls?range=24h&person=0`);
    await expect(page.getByRole('combobox', { name: 'Person' })).toHaveValue('No person');
    await expect(row(page, role).first()).toBeVisible();
    await expectAccessible(page);
    await picture(page, 'calls-en');
    await page.getByRole('button', { name: 'Clear all' }).click();
    await expect(page).not.toHaveURL(/person=/);
  });
});

test('a call tells of pauses, failures, what was left out and how long the answer took to begin', async ({ page }) => {
  const call = await (await page.request.get(`/api/v1${await callPage(page)}`)).json();
  const begin = Date.parse(call.at);
  const usage = { ...call.attempts[0].usage, cache_write_tokens: 12, reasoning_tokens: 34 };
  const attempt = { ...call.attempts[0], answer: '', error: '', repair: false, usage };
  const failed = {
    ...attempt,
    at: new Date(begin + 100).toISOString(),
    status: 'error',
    class: 'overloaded',
    code: 'server_error',
    latency_ms: 400,
    wait_ms: 200,
  };
  const broken = {
    ...attempt,
    at: new Date(begin + 700).toISOString(),
    key: 'second',
    status: 'timeout',
    class: 'timeout',
    in_words: true,
    dropped: ['seed', 'tools'],
    first_token_ms: 300,
    latency_ms: 1000,
  };
  const json = {
    ...call,
    status: 'partial',
    label: '',
    finish: 'length',
    schema_valid: false,
    parameters: { temperature: 0.2, seed: 7 },
    dropped: ['seed', 'tools'],
    latency_ms: 1705,
    first_token_ms: 1000,
    overhead_us: 5400,
    usage,
    attempts: [failed, broken],
  };
  await page.route(/\/api\/v1\/.*\/ai-calls\/[0-9a-f]+$/, (route) => route.fulfill({ json }));
  await page.goto(await callPage(page));
  await expect(page.getByText('중간에 끊김')).toBeVisible();
  await expect(page.getByText('게이트웨이 5.4 ms')).toBeVisible();
  await expect(page.getByText('시도 2회 · 첫 토큰 1 s')).toBeVisible();
  await expect(page.getByText('출력 중 추론 34')).toBeVisible();
  await expect(page.getByText('캐시 기록 12')).toBeVisible();
  const rows = page.getByRole('table').getByRole('row');
  await expect(rows.nth(1)).toContainText('서비스 장애 또는 과부하 server_error');
  await expect(rows.nth(1)).toContainText('이후 200 ms 대기');
  // Row 2 is what the service told of the first attempt's use.
  await expect(rows.nth(3)).toContainText('스키마를 문장으로 전달 · 제외: 시드, 도구');
  await expect(rows.nth(3).getByRole('img')).toHaveAccessibleName('호출 시작 후 700 ms부터 1.7 s까지');
  const side = page.getByRole('complementary');
  await expect(side).toContainText('버전을 직접 지정');
  await expect(side).toContainText('토큰 한도');
  await expect(side).toContainText('위반');
  await expect(side).toContainText('7 (제외)');
  await expect(side).toContainText('제외: 도구');
  await expectAccessible(page);
  await picture(page, 'call-attempts');
});

test('the calls of a project without any say what fills them, and an unknown call is said to be so', async ({
  page,
}) => {
  await page.goto(`${home}/ai-calls?ref=incident/999999`);
  await expect(page.getByText('조건에 맞는 호출이 없습니다')).toBeVisible();
  await page.goto(`${home}/ai-calls/0123`);
  await expect(page.getByRole('alert')).toContainText('이 주소에는 아무것도 없습니다');
});

test('a viewer reads the calls, but neither the roles of others nor prices', async ({ page, browser, baseURL }) => {
  const { orgs } = (await (await page.request.get('/api/v1/me')).json()) as { orgs: { id: number; kind: string }[] };
  const org = orgs.find((o) => o.kind === 'team')?.id;
  const email = `reader-${Date.now()}@example.com`;
  const made = await page.request.post('/api/v1/users', { data: { email, name: 'Reader' } });
  const { password } = (await made.json()) as { password: string };
  expect((await page.request.put(`/api/v1/orgs/${org}/members`, { data: { email, role: 'viewer' } })).ok()).toBe(true);
  const context = await browser.newContext({ baseURL, locale: 'ko-KR', storageState: { cookies: [], origins: [] } });
  const other = await context.newPage();
  await other.goto(await callPage(page));
  await login(other, { email, password });
  await expect(other.getByRole('heading', { name: '시도' })).toBeVisible();
  const denied = ['prices', `roles/${role}`, 'providers'].flatMap((of) => [`/${of}?org=${org}`, `/${of}?org=0`]);
  for (const path of denied) {
    await other.goto(path);
    await expect(other.getByRole('alert')).toContainText('이 작업에 대한 권한이 없습니다');
  }
  await context.close();
});
