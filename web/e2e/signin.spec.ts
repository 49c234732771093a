import { createHmac } from 'node:crypto';
import type { Browser } from '@playwright/test';
import {
  ask,
  choose,
  expect,
  expectAccessible,
  fresh,
  login,
  picture,
  press,
  row,
  somebodyElse,
  takeSecret,
  test,
} from './matrix.ts';

/** What an authenticator app shows for a key (RFC 6238), `ahead` steps of 30 seconds from now. */
function code(key: string, ahead = 0): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...key.replaceAll(' ', '')].map((c) => letters.indexOf(c).toString(2).padStart(5, '0')).join('');
  const bytes = Buffer.from((bits.match(/.{8}/g) ?? []).map((b) => Number.parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const sum = createHmac('sha1', bytes).update(counter).digest();
  const at = (sum.at(-1) ?? 0) & 15;
  return String((sum.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** A browser that is signed in as nobody. */
const stranger = async (browser: Browser, baseURL: string | undefined, colorScheme: 'light' | 'dark' = 'light') => {
  const context = await browser.newContext({
    baseURL,
    locale: 'ko-KR',
    colorScheme,
    storageState: { cookies: [], origins: [] },
  });
  return { page: await context.newPage(), close: () => context.close() };
};

test('two-step sign-in is set up, asked for, and reset by an administrator', async ({ page, browser, baseURL }) => {
  const other = await somebodyElse(page, browser, baseURL);
  const mine = other.page;
  await mine.goto('/me');
  await login(mine, other);
  await mine.getByRole('button', { name: '2단계 인증 설정' }).click();
  await mine.getByRole('dialog').locator('input[type=password]').fill(other.password);
  await press(mine, '다음');
  await expect(mine.getByRole('img', { name: '인증 앱에 등록할 QR 코드' })).toBeVisible();
  const key = (await mine.getByRole('group', { name: '인증 앱에 입력할 키' }).textContent()) ?? '';
  await mine.getByRole('dialog').getByLabel('인증 앱의 6자리 코드').fill('000000');
  await press(mine, '사용 시작');
  await expect(mine.getByText('코드가 올바르지 않거나 이미 사용되었습니다')).toBeVisible();
  await expectAccessible(mine);
  await picture(mine, 'totp-set-up');
  await mine.getByRole('dialog').getByLabel('인증 앱의 6자리 코드').fill(code(key));
  await press(mine, '사용 시작');
  const codes = (await takeSecret(mine, '복구 코드')).split('\n');
  expect(codes).toHaveLength(10);
  await expect(mine.getByText('남은 복구 코드 10개')).toBeVisible();
  await expect(row(mine, '현재 세션')).toContainText('Chrome');
  await mine.getByRole('heading', { name: '로그인 세션' }).scrollIntoViewIfNeeded();
  await expectAccessible(mine);
  await picture(mine, 'me-sessions');

  await mine.getByRole('button', { name: '내 계정' }).click();
  await mine.getByRole('menuitem', { name: '로그아웃' }).click();
  await login(mine, other);
  await expect(mine.getByLabel('인증 코드 또는 복구 코드')).toBeFocused();
  await expect(mine.locator('form [role=alert]')).toBeEmpty();
  await expectAccessible(mine);
  await picture(mine, 'login-code');
  await mine.getByLabel('인증 코드 또는 복구 코드').fill(code(key, -20));
  await mine.getByRole('button', { name: '로그인', exact: true }).click();
  await expect(mine.locator('form [role=alert]')).toContainText('코드가 올바르지 않거나 이미 사용되었습니다');
  await mine.getByLabel('인증 코드 또는 복구 코드').fill(codes[0] ?? '');
  await mine.getByRole('button', { name: '로그인', exact: true }).click();
  await expect(mine.getByText('아직 참여 중인 프로젝트가 없습니다')).toBeVisible();

  await page.goto(`/users?q=${other.email}`);
  await expect(row(page, other.email)).toContainText('2단계 인증');
  await page.getByRole('button', { name: `로그인 세션: ${other.email}` }).click();
  await expect(page.getByRole('dialog')).toContainText('Chrome');
  await expectAccessible(page);
  await picture(page, 'user-sessions');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: `2단계 인증 초기화: ${other.email}` }).click();
  await press(page, '2단계 인증 초기화');
  await expect(row(page, other.email)).not.toContainText('2단계 인증');
  await mine.reload();
  await expect(mine).toHaveURL(/\/login/); // the session is over
  await login(mine, other);
  await expect(mine.getByText('아직 참여 중인 프로젝트가 없습니다')).toBeVisible();
  await other.close();
});

test('another session is ended from the list', async ({ page, browser, baseURL }) => {
  const other = await somebodyElse(page, browser, baseURL);
  await other.page.goto('/me');
  await login(other.page, other);
  const elsewhere = await stranger(browser, baseURL);
  await elsewhere.page.goto('/me');
  await login(elsewhere.page, other);
  await expect(elsewhere.page.getByRole('heading', { level: 1 })).toHaveText('내 계정');
  await other.page.reload();
  await other.page.getByRole('button', { name: '종료', exact: true }).click();
  await expect(other.page.getByText('세션을 종료했습니다.')).toBeVisible();
  await elsewhere.page.reload();
  await expect(elsewhere.page).toHaveURL(/\/login/);
  await elsewhere.close();
  await other.close();
});

test('who lacks a demanded second factor is led to where it is set up', async ({ page, browser, baseURL }) => {
  const other = await somebodyElse(page, browser, baseURL);
  const { id } = await ask<{ id: number }>(page, 'POST', '/orgs', { name: fresh('strict') });
  await ask(page, 'PUT', `/orgs/${id}/members`, { email: other.email, role: 'viewer' });
  // Not the switch itself: whoever demands it is a member and would be led away, too.
  await page.goto(`/orgs/${id}`);
  await page.getByText('2단계 인증 요구').scrollIntoViewIfNeeded();
  await expect(page.getByText(/아직 설정하지 않은 사람: 2명/)).toBeVisible();
  await page.getByRole('switch', { name: '2단계 인증 요구' }).click({ force: true });
  await expect(page.getByRole('dialog')).toContainText('먼저 설정해야 합니다');
  await expectAccessible(page);
  await picture(page, 'demand');
  await page.keyboard.press('Escape');
  const { user } = await ask<{ user: { id: number } }>(page, 'GET', '/me');
  await ask(page, 'PUT', `/orgs/${id}/members`, { email: other.email, role: 'owner' });
  await ask(page, 'DELETE', `/orgs/${id}/members/${user.id}`);
  await ask(page, 'PUT', `/orgs/${id}/sign-in`, { second_factor: true });

  await other.page.goto('/orgs');
  await login(other.page, other);
  await expect(other.page).toHaveURL(/\/me/);
  await expect(other.page.getByText('2단계 인증을 설정해야 합니다')).toBeVisible();
  await expectAccessible(other.page);
  await picture(other.page, 'must-enrol');
  await other.page.goto('/orgs');
  await expect(other.page).toHaveURL(/\/me/);
  await ask(page, 'PUT', `/orgs/${id}/sign-in`, { second_factor: false });
  await other.page.goto('/orgs');
  await expect(other.page.getByRole('heading', { level: 1 })).toHaveText('조직');
  await other.close();
});

test('a directory is given a token, provisions somebody and deactivates them', async ({ page, browser, baseURL }) => {
  const { id } = await ask<{ id: number }>(page, 'POST', '/orgs', { name: fresh('directory') });
  await page.goto(`/orgs/${id}`);
  await page.getByRole('button', { name: '디렉터리 토큰 추가' }).click();
  await page.getByRole('dialog').getByLabel('이름').fill('Okta');
  await choose(page, '부여할 역할', '편집자');
  await press(page, '추가');
  const token = await takeSecret(page, '디렉터리 토큰');
  await expect(row(page, 'Okta')).toContainText('편집자');
  await page.getByRole('heading', { name: '사용자 프로비저닝 (SCIM)' }).scrollIntoViewIfNeeded();
  await expectAccessible(page);
  await picture(page, 'provisioning');
  const scim = async (method: string, path: string, data: unknown) => {
    const answer = await page.request.fetch(`/scim/v2/${path}`, {
      method,
      data: JSON.stringify(data),
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/scim+json' },
    });
    expect(answer.ok(), await answer.text()).toBe(true);
    return (await answer.json()) as { id: string };
  };
  const email = `${fresh('dora')}@corp.example`;
  const made = await scim('POST', 'Users', { userName: email, displayName: 'Dora' });
  await page.goto(`/users?q=${email}`);
  await expect(row(page, email)).toContainText('사용 중');
  await scim('PATCH', `Users/${made.id}`, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'replace', value: { active: false } }],
  });
  await page.reload();
  await expect(row(page, email)).toContainText('사용 중지');
  await page.goto(`/orgs/${id}`);
  await row(page, 'Okta').getByRole('button', { name: '폐기' }).click();
  await press(page, '폐기');
  await expect(row(page, 'Okta')).toContainText('폐기됨');
  const other = await stranger(browser, baseURL);
  const refused = await other.page.request.get('/scim/v2/Users', { headers: { Authorization: `Bearer ${token}` } });
  expect(refused.status()).toBe(401);
  await other.close();
});

test('a provider is added, checked, and signs somebody in', async ({ page, browser, baseURL }) => {
  const issuer = process.env.MATRIX_IDP ?? '';
  await page.goto('/sign-in');
  await expect(page.getByText('등록된 제공자가 없습니다')).toBeVisible();
  await page.getByRole('button', { name: '제공자 추가' }).click();
  const form = page.getByRole('dialog');
  await form.getByLabel(/^이름( \*)?$/).fill('Corp');
  await form.getByLabel('코드').fill('corp');
  await form.getByLabel('발급자(issuer)').fill(issuer);
  await expect(form.getByText('/api/v1/session/oidc/corp/callback')).toBeVisible();
  await form.getByLabel('클라이언트 ID').fill('matrix');
  await form.getByLabel('클라이언트 시크릿').fill('client-secret-of-matrix');
  await form.getByRole('button', { name: '그룹 추가' }).click();
  await form.getByLabel('그룹 값 1').fill('sre');
  await choose(page, '역할 1', '편집자');
  await expectAccessible(page);
  await picture(page, 'oidc-form');
  await press(page, '추가');
  await expect(page.getByRole('dialog')).toContainText('발급자가 정상적으로 응답합니다.');
  await picture(page, 'oidc-check');
  await page.getByRole('dialog').getByRole('button', { name: '닫기' }).last().click();
  await expect(row(page, issuer)).toContainText('Corp');
  await picture(page, 'sign-in');

  for (const scheme of ['light', 'dark'] as const) {
    const guest = await stranger(browser, baseURL, scheme);
    await guest.page.goto('/login?failure=domain');
    await expect(guest.page.getByText('이 이메일 도메인으로는 로그인할 수 없습니다')).toBeVisible();
    await expect(guest.page.getByRole('link', { name: 'Corp 계정으로 로그인' })).toBeVisible();
    await expectAccessible(guest.page);
    await picture(guest.page, `login-providers-${scheme}`);
    await guest.page.goto('/me'); // leads to the login, which remembers the page
    await guest.page.getByRole('link', { name: 'Corp 계정으로 로그인' }).click();
    await guest.page.locator('input[name=username]').fill('ann');
    await guest.page.locator('input[name=password]').fill('verysecure');
    await guest.page.locator('button, input[type=submit]').last().click();
    await expect(guest.page).toHaveURL(/\/me$/);
    await expect(guest.page.getByText('ann@corp.example')).toBeVisible();
    await expect(row(guest.page, '현재 세션')).toContainText('corp');
    if (scheme === 'dark') await picture(guest.page, 'me-dark-oidc');
    await guest.close();
  }
  await page.goto('/users?q=ann@corp.example');
  await expect(row(page, 'ann@corp.example')).toContainText('Ann Lee');

  await page.goto('/sign-in');
  await page.getByRole('button', { name: '삭제: corp' }).click();
  await press(page, '삭제');
  await expect(page.getByText('등록된 제공자가 없습니다')).toBeVisible();
});
