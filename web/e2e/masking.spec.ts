import {
  ask,
  expect,
  expectAccessible,
  guide,
  home,
  login,
  picture,
  press,
  project,
  somebodyElse,
  test,
} from './matrix.ts';

const base = `/projects/${project}/ai-masking`;

test('what would leave is seen kind by kind, and a policy is tried before it is saved', async ({ page }) => {
  const { version } = await ask<{ version: number }>(page, 'GET', base);
  // Without what an earlier run of this test has left.
  await ask(page, 'PUT', base, { policy: {} }, `"v${version}"`);
  await page.goto('/');
  await page.getByRole('link', { name: '마스킹', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('마스킹');
  const leaving = page.getByRole('group', { name: '나가는 글' });
  await expect(leaving).toContainText('SELECT');
  await expect(leaving).not.toContainText('tb_member');
  await expect(leaving.locator('mark').first()).toBeVisible();
  await expect(page.getByText('마지막 검사를 통과했습니다.')).toBeVisible();
  await expect(page.getByText('토큰을 되돌리면 원문과 같습니다.')).toBeVisible();
  await expectAccessible(page);
  await guide(page, 'masking');
  await picture(page, 'masking');
  for (const [name, gone] of [
    ['스택 트레이스', '010-1234-5678'],
    ['토큰이 있는 URL', '9f3b1c7de24a4b5f8c6d7e8f90a1b2c3'],
    ['개인정보', '900101-1234567'],
    ['쿠버네티스 로그', 'order-api-6945c568f7-2ghw8'],
    ['JSON 문서', '"tb_member"'],
  ] as const) {
    await page.getByRole('button', { name, exact: true }).click();
    await expect(page.getByRole('textbox', { name: '입력' })).toHaveValue(new RegExp(gone.replace(/[."]/g, '.')));
    await expect(leaving).not.toContainText(gone);
    await expect(page.getByText('토큰을 되돌리면 원문과 같습니다.')).toBeVisible();
  }

  await page.getByRole('textbox', { name: '입력' }).fill('order ORD-123456 of 김철수, kim@shop.example.com');
  await page.getByText('글', { exact: true }).click();
  await expect(leaving).toContainText('ORD-123456 of 김철수');
  await expect(leaving).not.toContainText('kim@shop');
  const kinds = page.getByRole('list', { name: '가리는 종류' });
  await kinds.getByRole('checkbox', { name: '이메일' }).uncheck();
  await expect(leaving).toContainText('kim@shop.example.com');
  await expect(kinds.getByRole('checkbox', { name: '비밀번호, 키' })).toBeDisabled();

  await page.getByRole('button', { name: '패턴 추가' }).click();
  await page.getByRole('textbox', { name: '패턴 1 이름' }).fill('order');
  const pattern = page.getByRole('textbox', { name: '패턴 1', exact: true });
  await pattern.fill('ORD-([0-9]{6}');
  await expect(page.getByText('at character 14: missing closing )').first()).toBeVisible();
  await expect(page.getByRole('button', { name: '정책 저장' })).toBeDisabled();
  await picture(page, 'masking-wrong-pattern');
  await pattern.fill('ORD-[0-9]{6}');
  await expect(page.getByText('1곳 일치')).toBeVisible();
  await expect(leaving).not.toContainText('ORD-123456');
  await page.getByRole('button', { name: '사전 추가' }).click();
  await page.getByRole('textbox', { name: '사전 1 이름' }).fill('staff');
  await page.getByRole('textbox', { name: '사전 1의 낱말' }).fill('김철수');
  await expect(leaving).not.toContainText('김철수');
  await page.getByRole('textbox', { name: '허용 목록' }).fill('status.example.com');
  await page.emulateMedia({ colorScheme: 'dark' });
  await expectAccessible(page);
  await page.screenshot({ path: 'test-results/masking-policy.png', fullPage: true });
  await page.emulateMedia({ colorScheme: 'light' });
  await page.screenshot({ path: 'test-results/masking-policy-light.png', fullPage: true });

  await page.getByRole('button', { name: '정책 저장' }).click();
  await page.getByRole('dialog').getByLabel('변경 이유').fill('orders name people');
  await press(page, '저장');
  await expect(page.getByText('정책을 저장했습니다')).toBeVisible();
  const stored = await ask<{ policy: Record<string, unknown> }>(page, 'GET', base);
  expect(stored.policy).toEqual({
    off: ['email'],
    patterns: [{ name: 'order', pattern: 'ORD-[0-9]{6}' }],
    dictionaries: { staff: ['김철수'] },
    allow: ['status.example.com'],
  });
  await page.getByRole('tab', { name: '변경 이력' }).click();
  await expect(page.getByText('patterns.order: ORD-[0-9]{6}')).toBeVisible();
  await expect(page.getByText('orders name people').first()).toBeVisible();
  await expectAccessible(page);
  await picture(page, 'masking-history');
  const now = await ask<{ version: number }>(page, 'GET', base);
  await ask(page, 'PUT', base, { policy: {} }, `"v${now.version}"`);
});

test('a role has a policy of its own, checked while it is written', async ({ page }) => {
  await page.goto('/roles/agent-alert-analyzer');
  await page.locator('summary').filter({ hasText: '마스킹 정책' }).click();
  await page.getByRole('button', { name: '패턴 추가' }).click();
  await page.getByRole('textbox', { name: '패턴 1 이름' }).fill('seat');
  await page.getByRole('textbox', { name: '패턴 1', exact: true }).fill('seat [A-Z');
  await expect(page.getByText('missing closing ]').first()).toBeVisible();
  await page.getByRole('textbox', { name: '패턴 1', exact: true }).fill('seat [A-Z]+');
  await expect(page.getByText('missing closing ]')).toHaveCount(0);
  await expectAccessible(page);
  await picture(page, 'role-masking');
});

test('a masking that cannot be had says so, and who is of no project sees none', async ({ page, browser, baseURL }) => {
  const down = { status: 503, contentType: 'application/problem+json', body: '{"status":503}' };
  await page.route(/\/ai-masking$/, (route) => route.fulfill(down));
  await page.goto(`${home}/masking`);
  await expect(page.getByRole('alert')).toContainText('데이터 저장소를 지금 사용할 수 없습니다');
  await page.unroute(/\/ai-masking$/);
  await page.getByRole('button', { name: '다시 시도' }).click();
  await expect(page.getByRole('group', { name: '나가는 글' })).toBeVisible();

  const other = await somebodyElse(page, browser, baseURL);
  await other.page.goto(`${home}/masking`);
  await login(other.page, other);
  await expect(other.page.getByRole('alert')).toBeVisible();
  await expect(other.page.getByRole('group', { name: '나가는 글' })).toBeHidden();
  await other.close();
});
