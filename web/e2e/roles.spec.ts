import type { Page } from '@playwright/test';
import { ask, expect, expectAccessible, fresh, guide, picture, press, row, test } from './matrix.ts';

interface Role {
  code: string;
  version: number;
}

/** A role of its own for each test: the shop's incidents are written in another. */
async function makeRole(page: Page, ...messages: string[]): Promise<string> {
  const code = fresh('helper');
  const [first = 'Answer in one word.', ...later] = messages;
  const body = { system_message: first, chain: [], parameters: {} };
  await ask(page, 'POST', '/roles', { code, ...body });
  for (const [i, system_message] of later.entries()) {
    await ask(page, 'PUT', `/roles/${code}`, { ...body, system_message }, `"v${i + 1}"`);
  }
  return code;
}

const standing = (page: Page) => page.getByText(/^프로덕션 적용 중:/);
const message = (page: Page) => page.getByLabel('시스템 메시지');

test('a draft changes nothing until it is released, and production goes back in one step', async ({ page }) => {
  const code = await makeRole(page);
  await page.goto('/roles');
  await page.getByRole('link', { name: code }).click();
  await expect(standing(page)).toHaveText('프로덕션 적용 중: 버전 1');
  const draft = page.getByRole('button', { name: '초안으로 저장' });
  const release = page.getByRole('button', { name: '저장하고 적용' });
  await expect(draft).toBeDisabled();
  await expect(release).toBeDisabled();
  await message(page).fill('Answer in two words.');
  await draft.click();
  await expect(page.getByRole('dialog')).toContainText('계속 기존 버전(1)을 사용합니다');
  await page.getByRole('dialog').getByLabel('변경 이유').fill('one was too short');
  await press(page, '저장');
  await expect(page.getByText('초안으로 저장했습니다(버전 2)')).toBeVisible();
  await expect(page.getByText('최신 버전(2)은 초안이며 어떤 호출에도 사용되지 않습니다.')).toBeVisible();
  await expect(standing(page)).toHaveText('프로덕션 적용 중: 버전 1');
  await expectAccessible(page);

  await page.goto('/roles');
  await expect(row(page, code)).toContainText('초안: 버전 2');
  await row(page, code).getByRole('link').click();
  await page.getByRole('button', { name: '버전 2 적용', exact: true }).click();
  await expect(page.getByRole('dialog')).toContainText('버전 1 → 버전 2');
  await press(page, '이 버전 적용');
  await expect(standing(page)).toHaveText('프로덕션 적용 중: 버전 2');
  await expect(page.getByText('최신 버전(2)은 초안이며')).toBeHidden();

  await message(page).fill('Answer in three words.');
  await release.click();
  await press(page, '저장');
  await expect(standing(page)).toHaveText('프로덕션 적용 중: 버전 3');
  await page.getByRole('tab', { name: '이력' }).click();
  await expect(page.getByRole('link', { name: /^버전 2/ })).toContainText('one was too short');
  await page.getByRole('link', { name: /^버전 2/ }).click();
  await expect(page).toHaveURL(/version=2/);
  await page.getByRole('button', { name: '이 버전으로 롤백' }).click();
  await page.getByRole('dialog').getByLabel('변경 이유').fill('three were too many');
  await press(page, '이 버전으로 롤백');
  await expect(standing(page)).toHaveText('프로덕션 적용 중: 버전 2');
  await page.getByRole('tab', { name: '라벨' }).click();
  const last = row(page, '버전 3 → 버전 2');
  await expect(last).toContainText('three were too many');
});

test('the editor keeps what each model and the role are given, and says where a schema is wrong', async ({ page }) => {
  const code = await makeRole(page);
  await page.goto(`/roles/${code}`);
  await page.getByLabel('이름', { exact: true }).fill('Helper');
  await page.getByLabel('재시도 횟수').fill('0');
  await page.getByRole('switch', { name: /^기록하지 못해도 답변/ }).press('Space');
  await page.getByRole('button', { name: '모델 추가' }).click();
  await page.getByPlaceholder('모델', { exact: true }).fill('analyst-1');
  await page.getByText('1번 모델의 세부 설정').click();
  const more = page.locator('details').filter({ hasText: '1번 모델의 세부 설정' });
  await more.getByLabel('첫 토큰까지').fill('5000');
  await more.getByLabel('Temperature').fill('0');
  await more.getByRole('combobox', { name: '다음 모델로 넘어갈 실패' }).click();
  await page.getByRole('option', { name: '제한 시간 내 응답 없음' }).click();
  await page.getByRole('option', { name: '요청 한도 초과' }).click();
  await page.keyboard.press('Escape');
  await page.getByText('기타 파라미터').click();
  const further = page.locator('details').filter({ hasText: '기타 파라미터' });
  await further.getByLabel('시드').fill('7');
  await further.getByRole('combobox', { name: '추론 강도' }).click();
  await page.getByRole('option', { name: '낮음' }).click();
  await further.getByLabel('중단 문자열').first().fill('\\n\\n');
  await page.keyboard.press('Enter');

  const format = page.getByLabel('응답 포맷');
  await format.fill('{\n  "type": json_schema\n}');
  await expect(page.getByText('2행 11열: 여기서 JSON 형식이 올바르지 않습니다')).toBeVisible();
  const release = page.getByRole('button', { name: '저장하고 적용' });
  await expect(release).toBeDisabled();
  await format.fill('{"type": "json_schema", "name": "answer", "schema": {"type": "text"}}');
  await expect(page.getByText('schema.type: JSON 타입')).toBeVisible();
  const schema = { type: 'object', properties: { word: { type: 'string' } } };
  await format.fill(JSON.stringify({ type: 'json_schema', name: 'answer', schema }));
  await expect(page.getByText(/^\d+행 \d+열:/)).toBeHidden();
  await expectAccessible(page);
  await picture(page, 'role-editor');
  await release.click();
  await press(page, '저장');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Helper');

  const stored = await ask<Record<string, unknown>>(page, 'GET', `/roles/${code}`);
  expect(stored).toMatchObject({
    version: 2,
    name: 'Helper',
    retries: 0,
    log_optional: true,
    parameters: { seed: 7, reasoning_effort: 'low', stop: ['\n\n'] },
    response_format: { type: 'json_schema', name: 'answer', schema },
    chain: [
      {
        provider: 'openai',
        model: 'analyst-1',
        first_token_ms: 5000,
        fall_through: ['timeout', 'rate_limited'],
        parameters: { temperature: 0 },
      },
    ],
  });
});

test('labels are made, moved with a canary, and asked for once more when they are protected', async ({ page }) => {
  const code = fresh('guide');
  const edit = (notes: string, system_message: string) => {
    const chain = [{ provider: 'openai', model: 'analyst-1', timeout_ms: 30_000 }];
    return { name: 'Guide', description: 'Answers questions of users.', system_message, notes, chain, parameters: {} };
  };
  await ask(page, 'POST', '/roles', { code, ...edit('', 'Answer politely.') });
  await ask(page, 'PUT', `/roles/${code}`, edit('shorter answers', 'Answer politely and briefly.'), '"v1"');
  await ask(page, 'PUT', `/roles/${code}`, edit('names its sources', 'Answer briefly. Name your sources.'), '"v2"');
  await page.goto(`/roles/${code}?tab=labels`);
  const dialog = page.getByRole('dialog');
  const production = page.getByRole('row').filter({ has: page.getByText('production', { exact: true }) });
  await expect(production.first()).toContainText('보호됨');
  await page.getByRole('button', { name: '새 라벨' }).click();
  await dialog.getByRole('textbox', { name: '라벨' }).fill('production');
  await expect(dialog).toContainText('같은 이름의 라벨이 있습니다');
  await dialog.getByRole('textbox', { name: '라벨' }).fill('candidate');
  await dialog.getByRole('combobox', { name: '버전' }).click();
  await page.getByRole('option', { name: /^버전 2/ }).click();
  await expectAccessible(page);
  await picture(page, 'label-form');
  await press(page, '저장');
  const candidate = page.getByRole('row').filter({ has: page.getByText('candidate', { exact: true }) });
  await expect(candidate.first()).toContainText('버전 2');

  await page.getByRole('button', { name: '변경: production' }).click();
  await dialog.getByRole('combobox', { name: '버전' }).click();
  await page.getByRole('option', { name: /^버전 1/ }).click();
  await dialog.getByRole('combobox', { name: '카나리' }).click();
  await page.getByRole('option', { name: /^버전 3/ }).click();
  await dialog.getByLabel('비율').fill('25');
  await dialog.getByLabel('변경 이유').fill('a quarter of the calls first');
  await press(page, '저장');
  const confirm = page.getByRole('dialog', { name: '보호된 “production” 라벨을 변경하시겠습니까?' });
  await expect(confirm).toContainText('버전 3 → 버전 1');
  await expect(confirm).toContainText('카나리: 없음 → 카나리 3, 25 %');
  await expectAccessible(page);
  await confirm.getByRole('button', { name: '변경', exact: true }).click();
  await expect(production.first()).toContainText('25 %');
  await expect(row(page, 'a quarter of the calls first')).toContainText('버전 3 → 버전 1');
  await expect(page.getByText('호출의 25 %에는 카나리(버전 3)를 사용합니다')).toBeVisible();
  await expectAccessible(page);
  await page.reload(); // without the message of what was done
  await expect(candidate.first()).toContainText('버전 2');
  await picture(page, 'role-labels');
  await guide(page, 'role');

  await page.goto('/roles');
  await expect(row(page, code)).toContainText('카나리 3, 25 %');
  await page.goto(`/roles/${code}?tab=labels`);
  await page.getByRole('button', { name: '제거: candidate' }).click();
  await press(page, '제거');
  await expect(page.getByRole('button', { name: '제거: candidate' })).toBeHidden();
  await expect(row(page, '제거, 이전 버전 2')).toBeVisible();
  await expect(page.getByRole('button', { name: '제거: production' })).toBeHidden();
});

test('any two versions are compared, text by line and the schema by value, and an old one is copied', async ({
  page,
}) => {
  const code = fresh('helper');
  const body = (type: string, rest: object = {}) => ({
    system_message: 'Be brief.\nBe exact.',
    chain: [],
    parameters: {},
    response_format: { type: 'json_schema', name: 'a', schema: { properties: { word: { type } } } },
    ...rest,
  });
  await ask(page, 'POST', '/roles', { code, ...body('string') });
  await ask(page, 'PUT', `/roles/${code}`, body('number'), '"v1"');
  await ask(page, 'PUT', `/roles/${code}`, body('number', { system_message: 'Be brief.\nBe kind.' }), '"v2"');
  await page.goto(`/roles/${code}?tab=history`);
  await expect(page.locator('[data-change=added]')).toHaveText(['+Be kind.']);
  await page.getByRole('combobox', { name: '비교할 버전' }).click();
  await page.getByRole('option', { name: '버전 1 대비' }).click();
  await expect(page).toHaveURL(/against=1/);
  await expect(page.locator('[data-change=added]')).toHaveText(['+Be kind.', '+"number"']);
  await expect(page.getByText('schema.properties.word.type')).toBeVisible();
  await expectAccessible(page);
  await picture(page, 'role-diff');
  await page.reload();
  await expect(page.locator('[data-change=removed]')).toHaveText(['−Be exact.', '−"string"']);

  await page.getByRole('link', { name: /^버전 1/ }).click();
  await page.getByRole('button', { name: '편집기로 복사' }).click();
  await expect(message(page)).toHaveValue('Be brief.\nBe exact.');
  await expect(page.getByText('버전 1에서 복사, 저장 전')).toBeVisible();
  await page.getByRole('button', { name: '초안으로 저장' }).click();
  await press(page, '저장');
  await expect(page.getByText('최신 버전(4)은 초안이며')).toBeVisible();
});

test('an edit that somebody overtook is not saved over theirs', async ({ page }) => {
  const code = await makeRole(page);
  await page.goto(`/roles/${code}`);
  const description = page.getByLabel('설명');
  await description.fill('mine');
  const body = { system_message: 'Answer.', chain: [], parameters: {}, description: 'theirs' };
  const { version } = await ask<Role>(page, 'PUT', `/roles/${code}`, body, '"v1"');
  await page.getByRole('button', { name: '저장하고 적용' }).click();
  await press(page, '저장');
  await expect(page.getByRole('alert')).toContainText(`버전 ${version}`);
  await expect(description).toHaveValue('mine');
  await picture(page, 'role-stale');
  await page.getByRole('button', { name: /새 버전을 불러오고/ }).click();
  await expect(description).toHaveValue('theirs');
});

test('a role is made and deleted', async ({ page }) => {
  const code = fresh('helper');
  await page.goto('/roles');
  await page.getByRole('button', { name: '새 롤' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(/^롤/).fill(code);
  await dialog.getByLabel('시스템 메시지').fill('Answer in one word.');
  await picture(page, 'role-new');
  await dialog.getByRole('button', { name: '저장' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(code);
  await page.getByRole('button', { name: '삭제' }).click();
  await page.getByRole('dialog').getByRole('button', { name: '삭제' }).click();
  await expect(page).toHaveURL(/\/roles(\?|$)/);
  await expect(page.getByRole('link', { name: code })).toBeHidden();
});
