import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Rule } from '../../api/types.ts';
import { toastDone, toastProblem } from '../../parts/toast.tsx';

/** Does the same to several rules, one after the other, and tells once how it went. */
export function useBulk(project: number) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const run = async (rules: Rule[], change: (rule: Rule) => Promise<unknown>, one?: string) => {
    setBusy(true);
    let done = 0;
    let wrong: unknown;
    for (const rule of rules) {
      try {
        await change(rule);
        done += 1;
      } catch (error) {
        wrong ??= error;
      }
    }
    await client.invalidateQueries({ queryKey: ['rules', project] });
    setBusy(false);
    if (wrong !== undefined) toastProblem(wrong);
    if (done > 0) toastDone(done === 1 && one ? one : t('rules.bulk_done', { done, all: rules.length }));
  };
  return { busy, run };
}
