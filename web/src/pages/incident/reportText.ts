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

export const sectionTitles = (report: Report): Titles => TITLES[report.language === 'en' ? 'en' : 'ko'];

/** The report as plain text, as the channels deliver it. */
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
  ].join('\n');
}
