import type { Point, Report } from '../../api/types.ts';

interface Titles {
  summary: string;
  transaction: string;
  analysis: string;
  actions: string;
}

// The report keeps its own language, whatever language the screen has: these
// are part of its format, not of the catalogues.
const TITLES: Record<'ko' | 'en', Titles> = {
  ko: { summary: '[요약]', transaction: '[트랜잭션]', analysis: '[프로파일 분석]', actions: '[조치 방안]' },
  en: { summary: '[Summary]', transaction: '[Transaction]', analysis: '[Profile analysis]', actions: '[Actions]' },
};

// As the channels word it (internal/report).
const LABELS: Record<'ko' | 'en', Record<string, string>> = {
  ko: {
    '': '※ 이 리포트는 AI 모델 없이 수집된 증거만으로 작성되었습니다.',
    no_model: '※ 이 리포트는 AI 모델 없이 수집된 증거만으로 작성되었습니다. (설정된 모델 없음)',
    model_failed: '※ 이 리포트는 AI 모델 없이 수집된 증거만으로 작성되었습니다. (모델이 유효한 답변을 주지 못함)',
    rate_limited: '※ 이 리포트는 AI 모델 없이 수집된 증거만으로 작성되었습니다. (요청 제한 간격 이내의 호출)',
    masking_failed:
      '※ 이 리포트는 AI 모델 없이 수집된 증거만으로 작성되었습니다. (민감 데이터 치환 실패로 전송하지 않음)',
  },
  en: {
    '': 'Note: this report was written from the evidence alone, without an AI model.',
    no_model: 'Note: this report was written from the evidence alone, without an AI model (none is configured).',
    model_failed:
      'Note: this report was written from the evidence alone, without an AI model (no model gave a valid answer).',
    rate_limited:
      'Note: this report was written from the evidence alone, without an AI model (the role was asked too often).',
    masking_failed:
      'Note: this report was written from the evidence alone, without an AI model (masking failed, so nothing was sent).',
  },
};

const languageOf = (report: Report) => (report.language === 'en' ? 'en' : 'ko');

/** Says in the report's language that no model wrote it; empty when one did. */
export function label(report: Report): string {
  if (report.source === 'model') return '';
  const labels = LABELS[languageOf(report)];
  return labels[report.reason] ?? labels[''] ?? '';
}

export const sectionTitles = (report: Report): Titles => TITLES[languageOf(report)];

/** The report as plain text, as the channels deliver it: one that no model wrote says so in its last line. */
export function reportText(report: Report): string {
  const titles = sectionTitles(report);
  const dashed = (points: Point[]) => points.map((p) => `- ${p.text}`);
  const numbered = (points: Point[]) => points.map((p, i) => `${i + 1}. ${p.text}`);
  return [
    titles.summary,
    report.summary.text,
    '',
    titles.transaction,
    ...dashed(report.transaction),
    '',
    titles.analysis,
    ...numbered(report.analysis),
    '',
    titles.actions,
    ...numbered(report.actions),
    ...(label(report) ? ['', label(report)] : []),
  ].join('\n');
}
