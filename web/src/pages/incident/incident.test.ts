import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { incident } from '../../../test/fixtures.ts';
import type { Fact } from '../../api/types.ts';
import { factFigure, factTitle, withUnit } from './fact.ts';
import { reportText } from './reportText.ts';

const fact = (id: string) => incident.evidence?.find((f) => f.id === id) as Fact;

describe('a fact', () => {
  it('is titled by its own values', () => {
    expect(factTitle(fact('E2'))).toBe('GET /v1/api/test');
    expect(factTitle(fact('E4'))).toBe('SELECT test_tb1, test_tb2, test_tb3, test_tb4');
    expect(factTitle(fact('E6'))).toBe('java.net.SocketException: Connection reset');
  });

  it('of a call to a database is titled by what it did', () => {
    const values = [
      { name: 'operation', value: 'find', unit: '' },
      { name: 'table', value: 'customers', unit: '' },
      { name: 'system', value: 'mongodb', unit: '' },
    ];
    expect(factTitle({ id: 'E9', kind: 'call', text: '', values })).toBe('mongodb find customers');
  });

  it('of a cause is titled by the service and what it did otherwise than usual, not by the sentence for models', () => {
    const values = [
      { name: 'service', value: 'order-api', unit: '' },
      { name: 'operation', value: 'OrderService.search', unit: '' },
    ];
    const text = 'Candidate 1 for the cause: …';
    expect(factTitle({ id: 'E9', kind: 'cause', text, values })).toBe('order-api · OrderService.search');
  });

  it('beside the transactions is titled and counted by its own values', () => {
    const made = (kind: string, ...values: [string, string, string?][]): Fact => ({
      id: 'E9',
      kind,
      text: 'as the model reads it',
      values: values.map(([name, value, unit = '']) => ({ name, value, unit })),
    });
    const looks = (fact: Fact) => `${factTitle(fact)} | ${factFigure(fact)}`;
    expect(
      looks(made('difference', ['attribute', 'version'], ['of_attribute', '1.4.2'], ['share', '88', 'percent'])),
    ).toBe('version = 1.4.2 | 88 %');
    expect(
      looks(made('difference', ['attribute', 'instance'], ['instance', 'pod-1'], ['share', '60', 'percent'])),
    ).toBe('instance = pod-1 | 60 %');
    expect(looks(made('log', ['message', 'pool is exhausted'], ['now', '1200', 'count']))).toBe(
      'pool is exhausted | 1,200×',
    );
    expect(looks(made('change', ['service', 'bank'], ['version', '2.0'], ['version_before', '1.9']))).toBe(
      'bank 1.9 → 2.0 | ',
    );
    expect(looks(made('past', ['title', 'p95 in shop'], ['lasted', '42', 'min']))).toBe('p95 in shop | 42 min');
  });

  it('of a kind not known here is titled by its text', () => {
    expect(factTitle({ id: 'E9', kind: 'moon', text: 'full' })).toBe('full');
  });

  it('shows the number that matters most', () => {
    expect(factFigure(fact('E4'))).toBe('8,003 ms');
    expect(factFigure(fact('E5'))).toBe('2,016 ms');
    expect(factFigure(fact('E7'))).toBe('27.5×');
  });

  it('keeps a value that is no number as it is', () => {
    expect(withUnit({ name: 'sql', value: 'SELECT 1', unit: '' })).toBe('SELECT 1');
    expect(withUnit({ name: 'bytes', value: '10', unit: 'bytes' })).toBe('10 bytes');
  });
});

describe('the report as text', () => {
  it('has the four sections of its own language', () => {
    const { report } = incident;
    if (!report) throw new Error('the fixture has a report');
    const lines = reportText(report).split('\n');
    expect(lines.filter((l) => l.startsWith('['))).toEqual(['[요약]', '[트랜잭션]', '[프로파일 분석]', '[조치 방안]']);
    expect(lines).toContain('- URL: /v1/api/test<GET>');
    expect(reportText({ ...report, language: 'en' })).toContain('[Profile analysis]\n1. ');
  });

  it('says last that no model wrote it, in the words of the channels', () => {
    const { report } = incident;
    if (!report) throw new Error('the fixture has a report');
    const channels = readFileSync(join(import.meta.dirname, '../../../../internal/report/report.go'), 'utf8');
    for (const language of ['ko', 'en']) {
      for (const reason of ['no_model', 'model_failed', 'rate_limited', 'masking_failed', 'unheard of']) {
        const last = reportText({ ...report, language, source: 'rules', reason })
          .split('\n')
          .slice(-2);
        expect(last).toEqual(['', expect.stringMatching(/^(※|Note:)/)]);
        expect(channels).toContain(`"${last[1]}"`);
      }
    }
    expect(reportText({ ...report, source: 'model', reason: '' })).not.toContain('※');
  });
});
