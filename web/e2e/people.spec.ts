import {
  ask,
  choose,
  expect,
  expectAccessible,
  fresh,
  home,
  login,
  picture,
  press,
  project,
  row,
  somebodyElse,
  takeSecret,
  teamPage,
  test,
} from './matrix.ts';

test('an account is made, found, renamed, promoted and closed', async ({ page }) => {
  const email = `${fresh('ann')}@example.com`;
  await page.goto('/users');
  await page.getByRole('button', { name: '새 계정' }).click();
  await page.getByRole('dialog').getByLabel('이메일').fill(email);
  await press(page, '추가');
  expect((await takeSecret(page, '첫 비밀번호')).length).toBeGreaterThanOrEqual(10);

  await page.getByRole('searchbox').fill(email.toUpperCase());
  await expect(page).toHaveURL(/q=/);
  await expect(page.getByRole('row')).toHaveCount(2);
  await page.getByRole('button', { name: `수정: ${email}` }).click();
  await page.getByRole('dialog').getByLabel('이름').fill('Ann Other');
  await page.getByRole('dialog').getByLabel('시스템 관리자').setChecked(true, { force: true });
  await picture(page, 'user-form');
  await press(page, '저장');
  await expect(row(page, email)).toContainText('Ann Other');
  await expect(row(page, email)).toContainText('시스템 관리자');

  await page.getByRole('button', { name: `수정: ${email}` }).click();
  await page.getByRole('dialog').getByLabel('시스템 관리자').setChecked(false, { force: true });
  await page.getByRole('dialog').getByLabel('로그인 허용').setChecked(false, { force: true });
  await press(page, '저장');
  await expect(row(page, email)).toContainText('사용 중지');
});

test('the last system administrator cannot be closed, and the screen says why', async ({ page }) => {
  const { user } = await ask<{ user: { email: string } }>(page, 'GET', '/me');
  await page.goto('/users');
  await page.getByRole('button', { name: `수정: ${user.email}` }).click();
  await page.getByRole('dialog').getByLabel('시스템 관리자').setChecked(false, { force: true });
  await press(page, '저장');
  await expect(page.getByText('이미 있는 내용과 맞지 않습니다')).toBeVisible();
});

test('somebody without an account is added with a role, gets another, and is removed', async ({ page }) => {
  const email = `${fresh('bob')}@example.com`;
  await page.goto(`${home}/settings?tab=members`);
  await page.getByRole('button', { name: '구성원 추가' }).click();
  await page.getByRole('dialog').getByLabel('이메일').fill(email);
  await expect(page.getByText('이 주소의 계정이 없습니다')).toBeVisible();
  await choose(page, '역할', '편집자');
  await expectAccessible(page);
  await picture(page, 'member-form');
  await press(page, '계정을 만들고 추가');
  expect((await takeSecret(page, '첫 비밀번호')).length).toBeGreaterThanOrEqual(10);
  await expect(row(page, email)).toContainText('편집자');
  await expect(row(page, email)).toContainText('그룹 default');

  await page.getByRole('button', { name: `역할 변경: ${email}` }).click();
  await choose(page, '역할', '뷰어');
  await press(page, '저장');
  await expect(row(page, email)).toContainText('뷰어');

  await page.getByRole('button', { name: `제외: ${email}` }).click();
  await press(page, '제외');
  await expect(row(page, email)).toHaveCount(0);
});

test('an organisation with groups and projects is built, changed and cleared', async ({ page }) => {
  const [team, group, shop] = [fresh('team'), fresh('group'), fresh('shop')];
  await page.goto('/orgs');
  await page.getByRole('button', { name: '새 조직' }).click();
  await page.getByRole('dialog').getByLabel('이름').fill(team);
  await press(page, '추가');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(team);

  await page.getByRole('button', { name: '조직 이름 변경' }).click();
  await page.getByRole('dialog').getByLabel('이름').fill(`${team} 2`);
  await press(page, '저장');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`${team} 2`);

  await page.getByRole('button', { name: '새 그룹' }).click();
  await page.getByRole('dialog').getByLabel('이름').fill(group);
  await press(page, '추가');
  await page.getByRole('button', { name: `그룹 이름 변경: ${group}` }).click();
  await page.getByRole('dialog').getByLabel('이름').fill(`${group} 2`);
  await press(page, '저장');
  await expect(row(page, `${group} 2`)).toBeVisible();

  // A name that is taken is not an edit that was overtaken.
  await page.getByRole('button', { name: '새 그룹' }).click();
  await page.getByRole('dialog').getByLabel('이름').fill(`${group} 2`);
  await press(page, '추가');
  await expect(page.getByText('이미 있는 내용과 맞지 않습니다')).toBeVisible();
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: '새 프로젝트: default' }).click();
  await page.getByRole('dialog').getByLabel('이름').fill(shop);
  await expectAccessible(page);
  await picture(page, 'project-form');
  await press(page, '추가');

  // It leads to the keys of the new project, which has nothing yet.
  await expect(page.getByRole('button', { name: new RegExp(shop) })).toBeVisible();
  await expect(page.getByRole('button', { name: '새 키' })).toBeVisible();
  await page.getByRole('link', { name: '인시던트' }).first().click();
  await expect(page.getByRole('group', { name: 'OpenTelemetry 설정' })).toContainText('OTEL_EXPORTER_OTLP_ENDPOINT');
  await picture(page, 'empty-project');
  await page.getByRole('link', { name: '트랜잭션' }).first().click();
  await expect(page.getByRole('group', { name: 'OpenTelemetry 설정' })).toBeVisible();

  await page.getByRole('link', { name: '설정' }).first().click();
  await page.getByRole('tab', { name: '프로젝트', exact: true }).click();
  await page.getByLabel('이름').fill(`${shop} 2`);
  await page.getByLabel('트레이스').fill('30');
  await page.getByLabel('샘플').fill('5000');
  await page.getByRole('button', { name: '저장' }).click();
  await expect(page.getByRole('button', { name: new RegExp(`${shop} 2`) })).toBeVisible();
  await page.reload();
  await expect(page.getByLabel('트레이스')).toHaveValue('30일');
  await expect(page.getByLabel('샘플')).toHaveValue('5,000/초');
  await expect(page.getByLabel('스팬')).toHaveValue('0/초');

  await page.getByRole('button', { name: '프로젝트 삭제' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('button', { name: '프로젝트 삭제' })).toBeDisabled();
  await dialog.getByRole('textbox').fill(`${shop} 2`);
  await picture(page, 'delete-project');
  await press(page, '프로젝트 삭제');
  await expect(page).toHaveURL(new RegExp(`${home}/?$`));

  await page.goto('/orgs');
  await page.getByRole('link', { name: `${team} 2` }).click();
  await page.getByRole('button', { name: `삭제: ${group} 2` }).click();
  await press(page, '삭제');
  await expect(row(page, `${group} 2`)).toHaveCount(0);
});

test('settings that somebody else changed meanwhile are not overwritten', async ({ page }) => {
  await page.goto(`${home}/settings?tab=project`);
  const read = await ask<Record<string, unknown> & { version: number; retention: object }>(
    page,
    'GET',
    `/projects/${project}`,
  );
  const { name, language, rate, retention, version } = read;
  await page.getByLabel('트레이스').fill('20');
  await ask(
    page,
    'PUT',
    `/projects/${project}`,
    { name, language, rate, retention: { ...retention, traces: 21 } },
    `"v${version}"`,
  );
  await page.getByRole('button', { name: '저장' }).click();
  await expect(page.getByText('화면을 연 뒤 다른 사람이 설정을 변경했습니다.')).toBeVisible();
  await expect(page.getByLabel('트레이스')).toHaveValue('20일');
  await page.getByRole('button', { name: '변경된 내용 보기' }).click();
  await expect(page.getByLabel('트레이스')).toHaveValue('21일');
});

test('the storage page tells what each signal takes', async ({ page }) => {
  await page.goto(`${home}/settings?tab=storage`);
  await expect(page.getByRole('row', { name: /^트레이스/ })).toContainText(/\d+일/);
  await expect(page.getByRole('row', { name: /^spans/ })).toBeVisible();
  await picture(page, 'storage');
});

test('the project switch leads to the organisation and to a new project', async ({ page }) => {
  await page.goto(`${home}/incidents`);
  await page.getByRole('button', { name: /^프로젝트:/ }).click();
  await picture(page, 'project-switch');
  await page.getByRole('menuitem', { name: /^조직 관리/ }).click();
  await expect(page).toHaveURL(await teamPage(page));
  await page.getByRole('button', { name: /^프로젝트:/ }).click();
  await page.getByRole('menuitem', { name: '새 프로젝트' }).click();
  await expect(page.getByRole('dialog', { name: '새 프로젝트' })).toBeVisible();
});

test('a password is changed and the old one is refused', async ({ page, browser, baseURL }) => {
  const other = await somebodyElse(page, browser, baseURL);
  await other.page.goto('/me');
  await login(other.page, other);
  await expect(other.page.getByRole('heading', { level: 1 })).toHaveText('내 계정');
  const chosen = 'a-better-password';
  const fill = async (old: string, again: string) => {
    await other.page.getByLabel('현재 비밀번호').fill(old);
    await other.page.getByLabel(/^새 비밀번호( \*)?$/).fill(chosen);
    await other.page.getByLabel('새 비밀번호 확인').fill(again);
  };
  const change = other.page.getByRole('button', { name: '비밀번호 변경' });
  await fill(other.password, 'something-else');
  await expect(other.page.getByText('두 비밀번호가 다릅니다.')).toBeVisible();
  await expect(change).toBeDisabled();
  await fill('not-the-password', chosen);
  await change.click();
  await expect(other.page.getByText('서버가 요청을 받아들이지 않았습니다')).toBeVisible();
  await fill(other.password, chosen);
  await change.click();
  await expect(other.page.getByText('비밀번호를 변경했습니다')).toBeVisible();

  await other.page.getByRole('button', { name: '내 계정' }).click();
  await other.page.getByRole('menuitem', { name: '로그아웃' }).click();
  await login(other.page, other);
  await expect(other.page.getByText('이메일 또는 비밀번호가 올바르지 않습니다.')).toBeVisible();
  await login(other.page, { email: other.email, password: chosen });
  await expect(other.page.getByText('아직 참여 중인 프로젝트가 없습니다')).toBeVisible();
  await picture(other.page, 'no-project');
  await other.page.getByRole('link', { name: /직접 프로젝트를/ }).click();
  await expect(other.page.getByRole('dialog', { name: '새 프로젝트' })).toBeVisible();
  await other.close();
});

test('who has a role in the group alone sees its members, and is told what is hidden', async ({
  page,
  browser,
  baseURL,
}) => {
  const { projects } = await ask<{ projects: { id: number; group_id: number }[] }>(page, 'GET', '/me');
  const group = projects.find((p) => String(p.id) === project)?.group_id;
  const other = await somebodyElse(page, browser, baseURL);
  await ask(page, 'PUT', `/groups/${group}/members`, { email: other.email, role: 'viewer' });
  await other.page.goto(`${home}/settings?tab=members`);
  await login(other.page, other);
  await expect(row(other.page, other.email)).toContainText('그룹 default');
  await expect(other.page.getByText('현재 역할로는 구성원을 볼 수 없습니다')).toBeVisible();
  await expect(other.page.getByRole('button', { name: '구성원 추가' })).toHaveCount(0);
  await picture(other.page, 'members-of-a-group');

  await other.page.getByRole('tab', { name: '프로젝트', exact: true }).click();
  await expect(other.page.getByLabel('이름')).toBeDisabled();
  await expect(other.page.getByRole('button', { name: '프로젝트 삭제' })).toHaveCount(0);
  await other.page.goto('/users');
  await expect(other.page.getByRole('alert')).toContainText('이 작업에 대한 권한이 없습니다');
  await other.page.goto(await teamPage(page));
  await expect(row(other.page, '그룹 default').first()).toBeVisible();
  await other.close();
});
