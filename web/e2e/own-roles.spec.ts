import { ask, expect, expectAccessible, fresh, login, picture, press, row, somebodyElse, test } from './matrix.ts';

const standing = /^프로덕션 적용 중:/;
const guarded = 'production 라벨은 보호되어 있어 조직 관리자만 옮길 수 있습니다';

test('an editor makes a role of the organisation and stores drafts, an administrator takes them into production', async ({
  page,
  browser,
  baseURL,
}) => {
  const code = fresh('shared');
  const body = { system_message: 'Answer politely.', chain: [], parameters: {} };
  await ask(page, 'POST', '/roles', { code, description: 'Answers questions of users.', ...body });
  const { id: org } = await ask<{ id: number }>(page, 'POST', '/orgs', { name: fresh('team') });

  const editor = await somebodyElse(page, browser, baseURL);
  await ask(page, 'PUT', `/orgs/${org}/members`, { email: editor.email, role: 'editor' });
  const at = editor.page;
  await at.goto('/roles');
  await login(at, editor);
  await at.getByRole('navigation').getByRole('link', { name: '롤', exact: true }).click();
  const select = at.getByRole('combobox', { name: '누구의 설정인지' });
  if (await select.isVisible()) await select.selectOption(String(org));
  await expect(row(at, code)).toContainText('설치 공통');
  await expectAccessible(at);
  await picture(at, 'own-roles');
  await row(at, code).getByRole('link', { name: code }).click();
  await expect(at.getByText('설치 공통 롤이라 여기서는 읽기만 할 수 있습니다.')).toBeVisible();
  await expect(at.getByText('Answer politely.')).toBeVisible();
  await expectAccessible(at);
  await picture(at, 'shared-role');
  await at.getByRole('button', { name: '우리 조직용으로 만들기' }).click();
  await expect(at.getByText(standing)).toHaveText('프로덕션 적용 중: 버전 1');
  await expect(at).toHaveURL(new RegExp(`org=${org}`));

  await at.getByLabel('시스템 메시지').fill('Answer politely and briefly.');
  await expect(at.getByText(guarded)).toBeVisible();
  await expect(at.getByRole('button', { name: '저장하고 적용' })).toBeDisabled();
  await expectAccessible(at);
  await picture(at, 'own-role-editor');
  await at.getByRole('button', { name: '초안으로 저장' }).click();
  await press(at, '저장');
  await expect(at.getByText('최신 버전(2)은 초안이며 어떤 호출에도 사용되지 않습니다.')).toBeVisible();
  await expect(at.getByRole('button', { name: '버전 2 적용', exact: true })).toBeDisabled();
  await expect(at.getByRole('button', { name: '삭제' })).toBeDisabled();
  await at.getByRole('tab', { name: '라벨' }).click();
  const move = at.getByRole('button', { name: /: production$/ });
  await expect(move).toHaveAttribute('aria-disabled', 'true');
  await expect(move).toHaveAttribute('aria-description', guarded);
  await picture(at, 'own-role-labels');
  const refused = await at.request.put(`/api/v1/orgs/${org}/ai-roles/${code}/labels/production`, {
    data: { version: 2, protected: true, override: true },
  });
  expect(refused.status()).toBe(403);

  // The installation's role is as it was.
  expect(await ask<{ version: number }>(page, 'GET', `/roles/${code}`)).toMatchObject({ version: 1 });

  const admin = await somebodyElse(page, browser, baseURL);
  await ask(page, 'PUT', `/orgs/${org}/members`, { email: admin.email, role: 'admin' });
  const by = admin.page;
  await by.goto(`/roles/${code}?org=${org}`);
  await login(by, admin);
  await by.getByRole('button', { name: '버전 2 적용', exact: true }).click();
  await press(by, '이 버전 적용');
  await expect(by.getByText(standing)).toHaveText('프로덕션 적용 중: 버전 2');

  await by.getByRole('button', { name: '삭제' }).click();
  await press(by, '삭제');
  await expect(row(by, code)).toContainText('설치 공통');
  await editor.close();
  await admin.close();
});
