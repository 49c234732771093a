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

test('a provider is added, its key tested, replaced, switched and deleted', async ({ page }) => {
  const name = fresh('lab');
  await page.goto('/');
  await page.getByRole('link', { name: '제공자', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('제공자');
  // The one of the configuration file is seen and tested, not edited.
  await expect(row(page, '설정 파일, 읽기 전용')).toContainText('openai');
  await expect(page.getByRole('button', { name: '테스트: openai · default' })).toBeVisible();
  await expect(page.getByRole('button', { name: '수정: openai' })).toHaveCount(0);

  const dialog = page.getByRole('dialog');
  const secret = dialog.locator('input[type=password]');
  await page.getByRole('button', { name: '새 제공자' }).click();
  await dialog.getByLabel('이름').fill('Lab one');
  await dialog.getByRole('combobox', { name: '종류' }).click();
  await page.getByRole('option', { name: 'openai', exact: true }).click();
  await dialog.getByLabel('기본 URL').fill('127.0.0.1:1');
  await press(page, '저장');
  await expect(dialog).toContainText('영문 소문자, 숫자');
  await expect(dialog).toContainText('http:// 또는 https://로 시작하는 주소를 입력해 주세요');
  await dialog.getByLabel('이름').fill(name);
  // Nothing listens at port 1.
  await dialog.getByLabel('기본 URL').fill('http://127.0.0.1:1/v1');
  await expectAccessible(page);
  await picture(page, 'provider-form');
  await press(page, '저장');
  await expect(dialog).toBeHidden();
  await expect(row(page, name).first()).toContainText('http://127.0.0.1:1/v1');

  await page.getByRole('button', { name: `${name}에 키 추가` }).click();
  await secret.fill('two words');
  await press(page, '저장');
  await expect(dialog).toContainText('공백이나 ASCII가 아닌 글자가 없습니다');
  await secret.fill('sk-not-a-real-key-7f3a');
  await press(page, '저장');
  await expect(dialog).toBeHidden();
  const key = row(page, '…7f3a');
  await expect(key).toContainText('main');
  await expect(key).toContainText('호출 전');

  await page.getByRole('button', { name: `테스트: ${name} · main` }).click();
  await press(page, '테스트');
  await expect(dialog.getByRole('status')).toContainText(
    '서비스에 연결할 수 없습니다. 이 주소에서 실행 중인 서비스가 없으니',
  );
  await expectAccessible(page);
  await picture(page, 'provider-test');
  await press(page, '취소');
  await expect(dialog).toBeHidden();

  await page.getByRole('button', { name: `키 교체: ${name} · main` }).click();
  await secret.fill('sk-not-a-real-key-91bc');
  await press(page, '저장');
  await expect(row(page, '…91bc')).toBeVisible();
  await expect(key).toHaveCount(0);
  await page.getByRole('button', { name: `사용 중지: ${name} · main` }).click();
  await expect(row(page, '…91bc')).toContainText('사용 안 함');
  await expectAccessible(page);
  // Without the toasts and the tooltip of what was just done.
  await page.mouse.move(0, 0);
  await page.reload();
  await expect(row(page, '…91bc')).toContainText('사용 안 함');
  await guide(page, 'providers');
  await picture(page, 'providers');
  await page.emulateMedia({ colorScheme: 'dark' });
  await expectAccessible(page);
  await picture(page, 'providers-dark');
  await page.emulateMedia({ colorScheme: 'light' });

  await page.getByRole('button', { name: `삭제: ${name} · main` }).click();
  await expect(dialog).toContainText('키 없이 호출');
  await press(page, '삭제');
  await expect(row(page, '…91bc')).toHaveCount(0);
  await page.getByRole('button', { name: `삭제: ${name}`, exact: true }).click();
  await expect(dialog).toContainText('이 제공자를 사용하는 롤의 체인이 없습니다');
  await press(page, '삭제');
  await expect(dialog).toBeHidden();
  await expect(row(page, name)).toHaveCount(0);
  const { items } = await ask<{ items: { name: string }[] }>(page, 'GET', '/ai-providers');
  expect(items.map((each) => each.name)).not.toContain(name);
});

test('the health of keys is told, and which roles would miss a provider; without any, how to begin', async ({
  page,
}) => {
  const now = Date.now();
  const provider = {
    name: 'lab',
    kind: 'anthropic',
    base_url: '',
    in_house: true,
    enabled: true,
    configured: false,
    shadowed: false,
    keys: [{ alias: 'main', last_four: 'wxyz', enabled: true }],
    roles: ['agent-alert-analyzer', 'shop-helper'],
    version: 3,
  };
  const health = {
    provider: 'lab',
    key: 'main',
    calls: 40,
    failures: 10,
    last_used: new Date(now - 60_000).toISOString(),
    last_ok: new Date(now - 60_000).toISOString(),
    last_failure: new Date(now - 120_000).toISOString(),
    last_class: 'rate_limited',
    last_code: 'slow_down',
  };
  const circuit = {
    provider: 'lab',
    model: 'claude-x',
    key: 'main',
    state: 'open',
    reason: '',
    since: health.last_failure,
    until: health.last_failure,
    calls: 10,
    failures: 6,
    manual: false,
  };
  const answer = (url: RegExp, items: unknown[]) =>
    page.route(url, (route) => route.fulfill({ json: { items, next_cursor: '', total: items.length } }));
  await answer(/\/api\/v1\/ai-providers$/, [provider]);
  await answer(/\/api\/v1\/ai-provider-health$/, [health]);
  await answer(/\/api\/v1\/ai-circuits$/, [circuit]);
  await page.goto('/providers');
  const key = row(page, '…wxyz');
  await expect(key).toContainText('차단');
  await expect(key.getByRole('link', { name: 'claude-x' })).toBeVisible();
  await expect(key).toContainText('25 %');
  await expect(key).toContainText('요청 한도 초과 slow_down');
  await expect(key.getByRole('time')).toHaveCount(2);
  await expectAccessible(page);
  await picture(page, 'providers-health');
  await page.getByRole('button', { name: '삭제: lab', exact: true }).click();
  await expect(page.getByRole('dialog')).toContainText('agent-alert-analyzer, shop-helper');
  await picture(page, 'provider-delete');

  await page.unroute(/\/api\/v1\/ai-providers$/);
  await answer(/\/api\/v1\/ai-providers$/, []);
  await page.reload();
  await expect(page.getByRole('heading', { name: '등록된 제공자가 없습니다' })).toBeVisible();
  await expectAccessible(page);
  await page.emulateMedia({ colorScheme: 'dark' });
  await expectAccessible(page);
  await picture(page, 'providers-none');
});

test('an organisation has a provider of its own, which its calls ask instead of the shared one', async ({
  page,
  browser,
  baseURL,
}) => {
  const org = await ask<{ id: number; name: string }>(page, 'POST', '/orgs', { name: fresh('rented') });
  const other = await somebodyElse(page, browser, baseURL);
  await ask(page, 'PUT', `/orgs/${org.id}/members`, { email: other.email, role: 'admin' });
  const { items } = await ask<{ items: { name: string; base_url: string }[] }>(page, 'GET', '/ai-providers');
  const address = items.find((each) => each.name === 'openai')?.base_url ?? '';

  // What is the installation's is not theirs to see.
  await other.page.goto('/providers?org=0');
  await login(other.page, other);
  await expect(other.page.getByRole('alert')).toContainText('이 작업에 대한 권한이 없습니다');
  await other.page.getByRole('link', { name: '제공자', exact: true }).click();
  await other.page.getByLabel('누구의 설정인지').selectOption(org.name);
  await expect(other.page).toHaveURL(new RegExp(`org=${org.id}`));
  await expect(other.page.getByRole('heading', { name: '이 조직의 제공자가 없습니다' })).toBeVisible();
  // Of the shared one they see that it is there, and nothing that is not their business.
  await expect(row(other.page, 'openai')).toContainText('gpt-4.1-mini');
  await expect(other.page.getByText(address)).toHaveCount(0);
  await expectAccessible(other.page);
  await picture(other.page, 'providers-of-org-none');

  const dialog = other.page.getByRole('dialog');
  await other.page.getByRole('button', { name: '새 제공자' }).click();
  await dialog.getByRole('textbox', { name: '이름' }).fill('openai');
  await dialog.getByRole('combobox', { name: '종류' }).click();
  await other.page.getByRole('option', { name: 'openai', exact: true }).click();
  await expect(dialog).toContainText('원문 그대로 전달됩니다');
  // Never, whatever the server's settings are.
  await dialog.getByLabel('기본 URL').fill('http://169.254.169.254/v1');
  await press(other.page, '저장');
  await expect(other.page.getByText('link-local')).toBeVisible();
  await expectAccessible(other.page);
  await picture(other.page, 'provider-form-of-org');
  await dialog.getByLabel('기본 URL').fill(address);
  await press(other.page, '저장');
  await expect(dialog).toBeHidden();
  await other.page.getByRole('button', { name: 'openai에 키 추가' }).click();
  await dialog.locator('input[type=password]').fill('sk-e2e');
  await press(other.page, '저장');
  await expect(dialog).toBeHidden();
  await other.page.getByRole('button', { name: '테스트: openai · main' }).click();
  await press(other.page, '테스트');
  await expect(dialog.getByRole('status')).toContainText('정상');
  await press(other.page, '취소');
  await expect(row(other.page, '이름이 같은 조직의 제공자를 대신 호출')).toContainText('openai');

  const group = await ask<{ id: number }>(other.page, 'POST', `/orgs/${org.id}/groups`, { name: fresh('group') });
  const project = await ask<{ id: number }>(other.page, 'POST', `/groups/${group.id}/projects`, {
    name: fresh('project'),
  });
  // Its answer is no report; that it was asked is what counts.
  const asked = await other.page.request.post(`/api/v1/ai/roles/agent-alert-analyzer/runs?project=${project.id}`, {
    data: { input: 'hello' },
  });
  expect([200, 503]).toContain(asked.status());
  interface Health {
    items: { provider: string; key: string; calls: number }[];
  }
  await expect
    .poll(async () => (await ask<Health>(other.page, 'GET', `/orgs/${org.id}/ai-provider-health`)).items.length)
    .toBe(1);
  await other.page.reload();
  await expect(other.page.getByRole('button', { name: '테스트: openai · main' })).toBeVisible();

  // Its circuits are opened and closed by hand here, and are nobody else's.
  const circuits = other.page.getByRole('region', { name: '서킷 브레이커' });
  const model = fresh('spare');
  await other.page.getByRole('button', { name: '모델 차단' }).click();
  await dialog.getByRole('combobox', { name: '제공자' }).fill('openai');
  await expect(dialog.getByRole('combobox', { name: '키' })).toHaveValue('main');
  await dialog.getByRole('combobox', { name: '모델' }).fill(model);
  await dialog.getByLabel('이유').fill('maintenance');
  await other.page.keyboard.press('Tab');
  await expectAccessible(other.page);
  await press(other.page, '차단');
  await expect(dialog).toBeHidden();
  const circuit = circuits.getByRole('row').filter({ hasText: model });
  await expect(circuit).toContainText('직접 차단');
  await expect(circuit).toContainText(/님이 차단: maintenance/);
  await expect(other.page.getByRole('link', { name: model })).toHaveAttribute('href', /#circuits$/);
  const shared = await ask<{ items: { model: string }[] }>(page, 'GET', '/ai-circuits');
  expect(shared.items.map((each) => each.model)).not.toContain(model);
  await other.page.mouse.move(0, 0);
  await expectAccessible(other.page);
  await picture(other.page, 'providers-of-org');
  await other.page.emulateMedia({ colorScheme: 'dark' });
  await expectAccessible(other.page);
  await picture(other.page, 'providers-of-org-dark');
  await other.page.emulateMedia({ colorScheme: 'light' });
  await circuits.getByRole('button', { name: `차단 해제: ${model} · main` }).click();
  await press(other.page, '차단 해제');
  await expect(circuit).toContainText('정상');
  await other.close();
});
