import { Checkbox } from '@mantine/core';
import { IconCircleCheck, IconLock, IconShieldX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { maskClassesQuery } from '../../api/masking.ts';
import type { MaskingOutcome } from '../../api/types.ts';
import { Copy } from '../../parts/Copy.tsx';
import { familyOf } from './families.ts';
import classes from './Masking.module.css';
import { pieces } from './pieces.ts';

/** What leaves of a text: tokens in the colour of their kind, with what they stand for. */
export function Leaving({ text, outcome }: { text: string; outcome: MaskingOutcome }) {
  const { t } = useTranslation();
  const word = (mask: string) => t(`masking.class.${mask as 'host'}`, mask);
  return (
    <div className={classes.leaving}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <pre tabIndex={0} role="group" aria-label={t('mask.leaves')}>
        {pieces(text, outcome.masked, outcome.hits).map(({ text: part, at, hit, original }) =>
          hit ? (
            <mark key={at} data-family={familyOf(hit.class)} title={`${word(hit.class)}: ${original}`}>
              {part}
            </mark>
          ) : (
            <span key={at}>{part}</span>
          ),
        )}
      </pre>
      {outcome.masked && <Copy text={outcome.masked} what={t('mask.leaves')} className={classes.corner} />}
    </div>
  );
}

/** What the last look says, and whether an answer would read as the text does. */
export function Verdicts({ outcome }: { outcome: MaskingOutcome }) {
  const { t } = useTranslation();
  const { gate, same } = outcome;
  return (
    <ul className={classes.verdicts}>
      <li data-good={!gate.refused}>
        {gate.refused ? <IconShieldX size={16} aria-hidden /> : <IconCircleCheck size={16} aria-hidden />}
        <span>
          {t(gate.refused ? 'mask.gate_refuses' : 'mask.gate_passes')}
          {gate.reason && <code>{gate.reason}</code>}
        </span>
      </li>
      {!gate.refused && (
        <li data-good={same}>
          {same ? <IconCircleCheck size={16} aria-hidden /> : <IconShieldX size={16} aria-hidden />}
          <span>{t(same ? 'mask.round_trip' : 'mask.no_round_trip')}</span>
        </li>
      )}
    </ul>
  );
}

interface LegendProps {
  outcome?: MaskingOutcome;
  off: string[];
  onOff: (off: string[]) => void;
}

/** All kinds with how many pieces of the text are of them; a kind that is unticked is not masked. */
export function Legend({ outcome, off, onOff }: LegendProps) {
  const { t } = useTranslation();
  const { data: all = [] } = useQuery(maskClassesQuery);
  const found = (mask: string) => outcome?.hits.filter((hit) => hit.class === mask).length ?? 0;
  return (
    <ul className={classes.legend} aria-label={t('mask.legend')}>
      {all.map(({ class: mask, locked }) => {
        const pieces = found(mask);
        return (
          <li key={mask} data-found={pieces > 0 || undefined}>
            <Checkbox
              size="xs"
              label={
                <>
                  <i data-family={familyOf(mask)} aria-hidden />
                  {t(`masking.class.${mask as 'host'}`, mask)}
                  {locked && <IconLock size={12} aria-label={t('mask.locked')} />}
                </>
              }
              classNames={{ label: classes.kind }}
              checked={!off.includes(mask)}
              disabled={locked}
              onChange={(e) => onOff(e.currentTarget.checked ? off.filter((each) => each !== mask) : [...off, mask])}
            />
            <span className={classes.found}>{pieces > 0 ? pieces : ''}</span>
          </li>
        );
      })}
    </ul>
  );
}
