import { account, expect, incidentPage, login, picture, session, test } from './matrix.ts';

test('a login leads back to the page that was asked for', async ({ page }) => {
  await page.goto(`${incidentPage}?tab=timeline`);
  await expect(page).toHaveURL(/\/login\?to=/);
  await picture(page, 'login');

  await login(page, { ...account, password: 'wrong-password' });
  await expect(page.getByRole('alert')).toHaveText('이메일 또는 비밀번호가 올바르지 않습니다.');

  await login(page, account);
  await expect(page).toHaveURL(new RegExp(`${incidentPage}\\?tab=timeline`));
  await expect(page.getByRole('tab', { selected: true })).toContainText('타임라인');
  await page.context().storageState({ path: session });
});
