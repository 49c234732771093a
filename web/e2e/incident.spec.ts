import { citedSpan, expect, guide, home, incident, incidentPage, picture, test } from './matrix.ts';

const SECTIONS = [
  /\[(요약|Summary)\]/,
  /\[(트랜잭션|Transaction)\]/,
  /\[(프로파일 분석|Profile analysis)\]/,
  /\[(조치 방안|Actions)\]/,
];

test('from the list to the report, from a citation to its fact, from the fact to the marked span', async ({ page }) => {
  await page.goto(`${home}/incidents?state=all`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('인시던트');
  await picture(page, 'incidents');
  await page.locator(`a[href*="/incidents/${incident}"]`).click();

  await expect(page.getByRole('group', { name: '알람' })).toContainText('[MATRIX-APM]');
  for (const section of SECTIONS) await expect(page.getByRole('heading', { level: 3, name: section })).toBeVisible();
  await guide(page, 'incidents');

  const { trace, span, fact } = await citedSpan(page);
  const chip = page.getByRole('link', { name: new RegExp(`^근거 ${fact}:`) }).first();
  await expect(chip).toBeVisible();
  await chip.click();
  const shown = page.locator(`#fact-${fact}`);
  await expect(shown).toHaveAttribute('data-marked');
  await expect(shown).toBeFocused();
  await expect(shown).toBeInViewport();

  await shown.getByRole('link', { name: /트레이스에서/ }).click();
  await expect(page).toHaveURL(new RegExp(`/traces/${trace}.*span=${span}`));
  const row = page.locator(`#span-${span}`);
  await expect(row).toHaveAttribute('aria-selected', 'true');
  await expect(row).toBeInViewport();
  await expect(row).toContainText(fact);
  await expect(page.getByTestId('span-detail')).toContainText(span);
  await guide(page, 'trace');

  await page.getByText('프로파일', { exact: true }).click();
  await expect(page.locator('tr[aria-selected=true]')).toContainText(fact);
  await picture(page, 'profile');

  await page.getByRole('link', { name: new RegExp(`^인시던트 #${incident}$`) }).click();
  await expect(page.locator(`#fact-${fact}`)).toHaveAttribute('data-marked');
});

test('an incident says who wrote its report and what was hidden from the model', async ({ page }) => {
  await page.goto(incidentPage);
  await expect(page.getByText(/로 작성|모델 없이 근거만으로 작성/).first()).toBeVisible();
  await page.getByRole('tab', { name: /마스킹/ }).click();
  const answer = await page.request.get(`/api/v1${incidentPage}`);
  const { masking } = (await answer.json()) as { masking: { tokens: { token: string; value: string }[] } };
  const [first] = masking.tokens;
  if (first) {
    await expect(page.getByRole('cell', { name: first.token, exact: true }).first()).toBeVisible();
    await expect(page.getByRole('cell', { name: first.value }).first()).toBeVisible();
  } else {
    await expect(page.getByText('모델로 전송된 내용이 없어')).toBeVisible();
  }
  await page.getByRole('tab', { name: /발송/ }).click();
  await expect(page.getByRole('columnheader', { name: '대상' })).toBeVisible();
});

test('taking an incident on shows at once and stays', async ({ page }) => {
  await page.goto(incidentPage);
  await page.getByRole('button', { name: '확인', exact: true }).click();
  await expect(page.getByRole('button', { name: '확인', exact: true })).toBeHidden();
  await expect
    .poll(
      async () =>
        ((await (await page.request.get(`/api/v1${incidentPage}`)).json()) as { acknowledged_by: string })
          .acknowledged_by,
    )
    .not.toBe('');
  await page.reload();
  await expect(page.getByText('확인됨').first()).toBeVisible();
});

test('a trace that is not there is said to be so', async ({ page }) => {
  await page.goto(`${home}/traces/${'0'.repeat(31)}1`);
  await expect(page.getByRole('alert')).toContainText('이 주소에는 아무것도 없습니다');
});
